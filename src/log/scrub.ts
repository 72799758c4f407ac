import type { Clock } from '../base/index.ts';
import { type ChannelId, type MessageId, PAGE_MESSAGES_MAX, type Store, snowflakeAt } from '../store/index.ts';
import { classify } from './channel-record.ts';
import type { LogRecord } from './log-record.ts';
import type { LogProblem, Scrubbed } from './types.ts';

/** A message that was posted just now need not show in a page yet. */
const LAG_MS = 60_000;

export interface ScrubContext {
  readonly clock: Clock;
  readonly store: Store;
  readonly channel: ChannelId;
  /** The records with newest versions, as they are at each moment. */
  readonly live: ReadonlySet<LogRecord>;
  /** Of the key that seals. */
  readonly keyId: string | undefined;
  readonly goesOn: () => boolean;
}

/**
 * Walks the whole channel in spare budget, and holds what stands there against what the log knows: checksums of contents,
 * and whether every record that holds a newest version is there, as it was written. Files are looked at by name and size.
 */
export async function scrub({
  clock,
  store,
  channel,
  live,
  keyId,
  goesOn,
}: ScrubContext): Promise<Scrubbed | undefined> {
  const expected = new Map<MessageId, LogRecord>();
  const newest = snowflakeAt(clock.now() - LAG_MS);
  for (const record of live) {
    if (record.messageId !== undefined && record.messageId < newest) expected.set(record.messageId, record);
  }
  const problems: LogProblem[] = [];
  let messages = 0;
  let otherwiseSealed = 0;
  for (let after: MessageId = 0n; ; ) {
    const page = await store.pageAfter(channel, after, PAGE_MESSAGES_MAX, 'upkeep');
    if (!goesOn()) return undefined;
    messages += page.length;
    for (const message of page.toReversed()) {
      const found = classify(message);
      const record = expected.get(message.id);
      if (found.kind !== 'record') problems.push(found.problem);
      else if (record && found.parsed.header.seq !== record.seq)
        problems.push(another(record, found.parsed.header.seq));
      if (found.kind === 'record' && found.parsed.header.keyId !== keyId) otherwiseSealed++;
      expected.delete(message.id);
    }
    const last = page[0];
    if (!last || page.length < PAGE_MESSAGES_MAX) break;
    after = last.id;
  }
  // What was superseded meanwhile may have been removed meanwhile.
  const missing = [...expected].filter(([, record]) => live.has(record)).map(([id]) => id);
  return { messages, problems, missing, otherwiseSealed };
}

function another({ seq, messageId }: LogRecord, found: number): LogProblem {
  const text = `message ${messageId} holds record ${found} in place of ${seq}`;
  return { kind: 'checksum', messageId, fromSeq: seq, toSeq: seq, text };
}
