import type { ChannelId, Message, MessageId, Priority, Store } from '../store/index.ts';
import { type ChannelRecord, classify } from './channel-record.ts';
import type { RecordHeader } from './header.ts';
import { LogRecord } from './log-record.ts';
import { type NewestPages, oldestPages } from './pages.ts';
import type { Payload } from './payload.ts';
import { isProblem, type PayloadLoader } from './payload-loader.ts';
import type { LiveEntry, LogProblem } from './types.ts';

const PRIORITY: Priority = 'read';
/** Records held back for one with a nearer sequence, whose message may stand on the next page. */
const HELD_MAX = 100;
/** Documents handed up together. */
const BATCH_DOCUMENTS = 1000;

export interface ScanContext {
  readonly store: Store;
  readonly channel: ChannelId;
  readonly pages: NewestPages;
  readonly loader: PayloadLoader;
  readonly onProblem: (problem: LogProblem) => void;
}

/**
 * The documents of a log that is pure inserts, in natural order or its reverse. Such a log has lost no record, so its
 * sequences are dense, and sequence order is natural order. `newest` bounds what is seen: later records do not count.
 * Oldest first it may begin at the message `from`.
 */
export async function* scan(
  context: ScanContext,
  newest: RecordHeader,
  direction: 'oldest' | 'newest',
  from: MessageId = 0n,
): AsyncGenerator<LiveEntry[], void, void> {
  const step = direction === 'oldest' ? 1 : -1;
  const seen = new Set<MessageId>();
  let expected = direction === 'newest' ? newest.seq : from === 0n ? 1 : undefined;
  /** From here to `expected` all that is there was handed up. */
  let begun = expected;
  let held: ChannelRecord[] = [];
  for await (const page of pagesFrom(context, direction, from)) {
    held.push(...records(page, newest, seen, context.onProblem));
    held.sort((left, right) => step * (left.parsed.header.seq - right.parsed.header.seq));
    if (expected === undefined || begun === undefined) {
      expected = begun = held[0]?.parsed.header.seq;
      if (expected === undefined || begun === undefined) continue;
    }
    const ready: ChannelRecord[] = [];
    for (let next = held[0]; next; next = held[0]) {
      const { seq } = next.parsed.header;
      const ahead = step * (seq - expected);
      if (ahead > 0 && held.length <= HELD_MAX) break;
      held.shift();
      const isTwin = ahead < 0 && step * (seq - begun) >= 0;
      if (!isTwin) ready.push(next);
      if (ahead >= 0) expected = seq + step;
      else if (!isTwin) begun = seq;
    }
    yield* load(context, ready, step);
  }
  const rest = held.filter(({ parsed }, at) => parsed.header.seq !== held[at - 1]?.parsed.header.seq);
  held = [];
  yield* load(context, rest, step);
}

async function* pagesFrom(
  { store, channel, pages }: ScanContext,
  direction: 'oldest' | 'newest',
  from: MessageId,
): AsyncGenerator<readonly Message[], void, void> {
  const kept = pages.from(from);
  if (kept) yield kept;
  else if (direction === 'newest') yield* pages.walk(PRIORITY, false);
  else yield* oldestPages(store, channel, PRIORITY, from);
}

function records(
  page: readonly Message[],
  newest: RecordHeader,
  seen: Set<MessageId>,
  onProblem: (problem: LogProblem) => void,
): ChannelRecord[] {
  const records: ChannelRecord[] = [];
  for (const message of page) {
    if (seen.has(message.id)) continue;
    seen.add(message.id);
    const found = classify(message);
    if (found.kind !== 'record') {
      onProblem(found.problem);
      continue;
    }
    const { epoch, seq } = found.parsed.header;
    const zombie = epoch < newest.epoch && seq >= newest.since;
    if (seq <= newest.seq && epoch <= newest.epoch && !zombie) records.push(found);
  }
  return records;
}

async function* load(
  { loader, onProblem }: ScanContext,
  ready: readonly ChannelRecord[],
  step: number,
): AsyncGenerator<LiveEntry[], void, void> {
  let batch: LiveEntry[] = [];
  for await (const { record, payload } of loader.loadAll(ready, PRIORITY)) {
    if (isProblem(payload)) {
      onProblem(payload);
      continue;
    }
    for (const entry of liveEntries(record, payload, step)) {
      if (batch.push(entry) < BATCH_DOCUMENTS) continue;
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

function* liveEntries({ message, parsed }: ChannelRecord, { entries }: Payload, step: number): Iterable<LiveEntry> {
  const record = new LogRecord();
  record.seq = parsed.header.seq;
  record.messageId = message.id;
  record.entries = entries.length;
  record.live = entries.length;
  for (let at = 0; at < entries.length; at++) {
    const slot = step > 0 ? at : entries.length - 1 - at;
    const { recordId, bytes } = entries[slot]!;
    yield { recordId, bytes, placement: { record, slot } };
  }
}
