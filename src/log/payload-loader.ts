import { type ChannelId, FILE_BYTES_MAX, type Priority, type Store } from '../store/index.ts';
import type { ChannelRecord } from './channel-record.ts';
import type { Payload } from './payload.ts';
import { decodePayload } from './record.ts';
import { RecordError } from './record-error.ts';
import type { Sealer } from './sealer.ts';
import type { LogProblem } from './types.ts';

/** Records whose files are fetched at once. */
const LOADS_MAX = 6;
/** Bytes of files under way or waiting for their turn, beyond the first record. */
const LOAD_BYTES_MAX = 2 * FILE_BYTES_MAX;

/** A record with what it carries, or with what stands in the way. */
export interface LoadedRecord {
  readonly record: ChannelRecord;
  readonly payload: Payload | LogProblem;
}

/**
 * Brings the payloads of records: decoded from text, or from their files, verified and opened. A record that was sealed
 * with a key that is not there is no damage, but a MissingKeyError.
 */
export class PayloadLoader {
  readonly #store: Store;
  readonly #channel: ChannelId;
  readonly #sealer: Sealer | undefined;

  constructor(store: Store, channel: ChannelId, sealer: Sealer | undefined) {
    this.#store = store;
    this.#channel = channel;
    this.#sealer = sealer;
  }

  /** Loads in the order given, a few records ahead of the one that is asked for. */
  async *loadAll(records: readonly ChannelRecord[], priority: Priority): AsyncGenerator<LoadedRecord, void, void> {
    const loading: { record: ChannelRecord; size: number; files: Promise<readonly Uint8Array[] | LogProblem> }[] = [];
    let next = 0;
    let bytes = 0;
    while (next < records.length || loading.length > 0) {
      for (let record = records[next]; record && loading.length < LOADS_MAX; record = records[next]) {
        const size = record.attachments.reduce((total, attachment) => total + attachment.size, 0);
        if (loading.length > 0 && bytes + size > LOAD_BYTES_MAX) break;
        const files = this.#download(record, priority);
        // Its turn to be awaited may never come.
        files.catch(() => {});
        loading.push({ record, size, files });
        bytes += size;
        next++;
      }
      const { record, size, files } = loading.shift()!;
      const chunks = await files;
      // Decoded at its turn, not before: a payload takes more room than its bytes.
      yield { record, payload: 'kind' in chunks ? chunks : decode(record, chunks, this.#sealer) };
      bytes -= size;
    }
  }

  async #download(record: ChannelRecord, priority: Priority): Promise<readonly Uint8Array[] | LogProblem> {
    const chunks: Uint8Array[] = [];
    for (const attachment of record.attachments) {
      const bytes = await this.#store.download(this.#channel, record.message, attachment, priority);
      if (!bytes) return lost(record, 'gap', `file ${attachment.name} is gone`);
      chunks.push(bytes);
    }
    return chunks;
  }
}

export function isProblem(payload: Payload | LogProblem): payload is LogProblem {
  return 'kind' in payload;
}

function decode(
  record: ChannelRecord,
  chunks: readonly Uint8Array[],
  sealer: Sealer | undefined,
): Payload | LogProblem {
  try {
    return decodePayload(record.parsed, chunks, sealer);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    return lost(record, 'checksum', error.message);
  }
}

function lost({ message, parsed }: ChannelRecord, kind: 'gap' | 'checksum', reason: string): LogProblem {
  const { seq } = parsed.header;
  const text = `record ${seq} in message ${message.id} cannot be read: ${reason}`;
  return { kind, messageId: message.id, fromSeq: seq, toSeq: seq, text };
}
