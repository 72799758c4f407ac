import type { Attachment, Message } from '../store/index.ts';
import { looksLikeRecord, type ParsedRecord, parseRecord } from './record.ts';
import { RecordError } from './record-error.ts';
import type { LogProblem } from './types.ts';

/** A message that is a record, with the attachments that its content names, in order. */
export interface ChannelRecord {
  readonly kind: 'record';
  readonly message: Message;
  readonly parsed: ParsedRecord;
  readonly attachments: readonly Attachment[];
}

/** A message that is none; `problem` says why. */
export interface NotARecord {
  readonly kind: 'foreign' | 'blank' | 'checksum';
  readonly message: Message;
  readonly problem: LogProblem;
}

/** What a message is, as far as it can be told without its files. */
export function classify(message: Message): ChannelRecord | NotARecord {
  const { id, content, attachments } = message;
  if (content === '' && attachments.length === 0) {
    return notARecord('blank', message, `message ${id} is blank: the bot may lack the MESSAGE_CONTENT intent`);
  }
  if (!looksLikeRecord(content)) return notARecord('foreign', message, `message ${id} is not DiscoDB's`);
  try {
    const parsed = parseRecord(content);
    const named = parsed.files.map(({ name, size }) => {
      return attachments.find((attachment) => attachment.name === name && attachment.size === size);
    });
    const found = named.filter((attachment) => attachment !== undefined);
    // Nothing is hidden by a torn checkpoint: whoever wants to read it finds out.
    if (found.length === named.length || parsed.header.kind === 'checkpoint') {
      return { kind: 'record', message, parsed, attachments: found };
    }
    return notARecord('checksum', message, `message ${id} lacks a file of record ${parsed.header.seq}`);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    return notARecord('checksum', message, `message ${id}: ${error.message}`);
  }
}

/** Highest epoch and sequence first, which is newest first; of twins, the one that was posted first. */
export function newestFirst(left: ChannelRecord, right: ChannelRecord): number {
  const [a, b] = [left.parsed.header, right.parsed.header];
  return b.epoch - a.epoch || b.seq - a.seq || (left.message.id < right.message.id ? -1 : 1);
}

function notARecord(kind: NotARecord['kind'], message: Message, text: string): NotARecord {
  return { kind, message, problem: { kind, messageId: message.id, fromSeq: 0, toSeq: 0, text } };
}
