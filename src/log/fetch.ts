import { type Message, PAGE_MESSAGES_MAX, type Priority, type Store } from '../store/index.ts';
import { type ChannelRecord, classify } from './channel-record.ts';
import type { LogRecord } from './log-record.ts';
import type { Payload } from './payload.ts';
import { isProblem, type PayloadLoader } from './payload-loader.ts';
import type { FetchedRecord, LogProblem } from './types.ts';

export interface FetchContext {
  readonly store: Store;
  readonly channel: string;
  readonly loader: PayloadLoader;
  readonly priority: Priority;
  /** Makes the error of a record that should be there and is not. */
  readonly lost: (problem: LogProblem) => Error;
}

/**
 * Brings records back, oldest first: those that stand close together by pages, the others one by one. A record that was
 * removed meanwhile, because all in it was superseded, is left out; one that is lost throws.
 */
export async function* fetchRecords(
  context: FetchContext,
  wanted: readonly LogRecord[],
): AsyncGenerator<readonly [LogRecord, FetchedRecord], void, void> {
  const inOrder = [...wanted].sort((left, right) => left.seq - right.seq);
  for (const group of neighbours(inOrder)) {
    const messages = await readGroup(context, group);
    const found = new Map<ChannelRecord, LogRecord>();
    for (const record of group) {
      const message = messages.get(record.messageId!);
      const one = message && classify(message);
      if (one?.kind === 'record') found.set(one, record);
      else if (!record.leaving) throw context.lost(unreadable(record, one?.kind ?? 'gap', one?.problem.text));
    }
    for await (const { record, payload } of context.loader.loadAll([...found.keys()], context.priority)) {
      const logRecord = found.get(record)!;
      if (!isProblem(payload)) yield [logRecord, fetched(payload, record)];
      else if (!logRecord.leaving) throw context.lost(payload);
    }
  }
}

/** What a record and each of its entries take in memory beside their bytes, about. */
const RECORD_OVERHEAD_BYTES = 1500;
const ENTRY_OVERHEAD_BYTES = 80;

/** Of a payload as the engine wants it. */
function fetched({ entries }: Payload, { message, attachments }: ChannelRecord): FetchedRecord {
  const overhead = RECORD_OVERHEAD_BYTES + entries.length * ENTRY_OVERHEAD_BYTES;
  return {
    bytes: attachments.reduce((sum, { size }) => sum + size, message.content.length + overhead),
    document(slot) {
      const entry = entries[slot];
      return entry?.op === 'put' ? entry.bytes : undefined;
    },
  };
}

/** Runs of records that one page holds: sequences are dense, so as many messages stand between two records at most. */
function* neighbours(records: readonly LogRecord[]): Iterable<LogRecord[]> {
  let group: LogRecord[] = [];
  for (const record of records) {
    if (group[0] && record.seq - group[0].seq >= PAGE_MESSAGES_MAX) {
      yield group;
      group = [];
    }
    group.push(record);
  }
  if (group.length > 0) yield group;
}

async function readGroup(
  { store, channel, priority }: FetchContext,
  group: readonly LogRecord[],
): Promise<Map<bigint, Message>> {
  const ids = group.map(({ messageId }) => messageId!);
  const first = ids.reduce((least, id) => (id < least ? id : least));
  const page = ids.length > 1 ? await store.pageAfter(channel, first - 1n, PAGE_MESSAGES_MAX, priority) : [];
  const messages = new Map(page.map((message) => [message.id, message]));
  // Messages of others may push one off the page.
  for (const id of ids.filter((one) => !messages.has(one))) {
    const message = await store.read(channel, id, priority);
    if (message) messages.set(id, message);
  }
  return messages;
}

function unreadable({ seq, messageId }: LogRecord, kind: LogProblem['kind'], reason?: string): LogProblem {
  const text = `record ${seq} cannot be read: ${reason ?? `message ${messageId} is gone`}`;
  return { kind, messageId, fromSeq: seq, toSeq: seq, text };
}
