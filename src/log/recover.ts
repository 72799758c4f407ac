import type { Env } from '../base/index.ts';
import { type Message, type MessageId, type Priority, snowflakeTime } from '../store/index.ts';
import { type ChannelRecord, classify, newestFirst } from './channel-record.ts';
import type { Checkpoint, CheckpointRow } from './checkpoint.ts';
import { CHECKPOINTS_KEPT, type Garbage } from './cleaner.ts';
import { EpochFilter } from './epoch-filter.ts';
import { Gaps } from './gaps.ts';
import type { RecordHeader } from './header.ts';
import { AHEAD_MAX } from './id-lead.ts';
import type { Liveness } from './liveness.ts';
import { LogRecord } from './log-record.ts';
import { isOf, MARK_LIFETIME_MS, type MarkHorizon, markKeys } from './mark-horizon.ts';
import type { NewestPages } from './pages.ts';
import type { Payload } from './payload.ts';
import { isProblem, type PayloadLoader } from './payload-loader.ts';
import type { LiveEntry, LogProblem, RetryMark } from './types.ts';

const PRIORITY: Priority = 'load';
/** Guards against former owners are given up only by who has read the whole channel. Where they pile up, that is done. */
const UNREAD_GUARDS_MAX = 100;

export interface RecoveryContext {
  readonly env: Env;
  readonly pages: NewestPages;
  readonly loader: PayloadLoader;
  readonly liveness: Liveness;
  readonly horizon: MarkHorizon;
  readonly onProblem: (problem: LogProblem) => void;
}

/** Where reading ended: a checkpoint, and the older records that are in hand already. */
interface Base {
  readonly checkpoint: Checkpoint;
  readonly older: readonly ChannelRecord[];
}

/**
 * Reads a channel from the newest message back, and finds the newest version of every document. Message ids need not
 * follow the order of the log, so one page is held back and sorted with the next. It only reads: what may be removed is
 * named for whoever goes on to write.
 */
export class Recovery implements Garbage {
  readonly problems: LogProblem[] = [];
  readonly marks: RetryMark[] = [];
  /** Of the newest record that can be read. */
  newest: RecordHeader | undefined;
  newestRecord: LogRecord | undefined;
  /** Messages that may be records, and could not be read. */
  hidden = 0;
  /** Records that hold no newest version. */
  readonly dead: LogRecord[] = [];
  /** Messages that count for nothing. */
  readonly strays: MessageId[] = [];
  readonly checkpoints: LogRecord[] = [];
  readonly unconfirmed: MessageId[] = [];
  readonly #context: RecoveryContext;
  readonly #visit: (entry: LiveEntry) => void;
  readonly #epochs = new EpochFilter();
  readonly #gaps = new Gaps();
  /** Which record holds the newest version of each document, deleted ones too. */
  readonly #holders = new Map<number, LogRecord>();
  readonly #seen = new Set<MessageId>();
  /** Records whose files were gone: removed while they were read, unless the live set says otherwise. */
  readonly #vanished: LogProblem[] = [];
  /** Where reading may end. */
  readonly #until: 'newest' | 'none';
  /** Records newer than the checkpoint that hold deletions. */
  readonly #tombstones: LogRecord[] = [];
  readonly #newestOfEpochs: LogRecord[] = [];
  #last: ChannelRecord | undefined;
  /** Of the record taken last. */
  #epoch: number | undefined;

  /** `until`: the whole channel is read, or its newest part, back to the newest checkpoint that is whole. */
  constructor(context: RecoveryContext, visit: (entry: LiveEntry) => void, until: 'newest' | 'none' = 'none') {
    this.#context = context;
    this.#visit = visit;
    this.#until = until;
  }

  /** Resolves with false when a checkpoint and what came after it do not add up to what the newest record tells. */
  async run(): Promise<boolean> {
    const base = await this.#walk();
    const fits = !base || (await this.#takeBase(base));
    const { newest } = this;
    if (!newest) return fits;
    const { liveness } = this.#context;
    liveness.superseding = newest.superseding;
    liveness.nextRecordId = Math.max(liveness.nextRecordId, newest.nextRecordId);
    const problem = this.#gaps.check(newest.live, liveness.live, newest.seq);
    if (this.hidden > 0) liveness.ahead = AHEAD_MAX;
    if (base) return fits && !problem && liveness.documents === newest.documents;
    for (const lost of problem ? [problem, ...this.#vanished] : []) this.#report(lost);
    if (problem) this.hidden += this.#vanished.length;
    // What could not be read may be read one day.
    if (this.hidden > 0) liveness.ahead = AHEAD_MAX;
    return true;
  }

  async #walk(): Promise<Base | undefined> {
    let held: ChannelRecord[] = [];
    for await (const page of this.#context.pages.walk(PRIORITY, true)) {
      const records = this.#records(page);
      held = [...held, ...records].sort(newestFirst);
      const base = await this.#takeAll(held.splice(0, held.length - records.length));
      if (base) return { ...base, older: [...base.older, ...held] };
    }
    return this.#takeAll(held);
  }

  #records(page: readonly Message[]): ChannelRecord[] {
    const records: ChannelRecord[] = [];
    for (const message of page) {
      if (this.#seen.has(message.id)) continue;
      this.#seen.add(message.id);
      const found = classify(message);
      if (found.kind === 'record') {
        records.push(found);
        continue;
      }
      if (found.kind === 'foreign') this.#report(found.problem);
      else this.#hide(found.problem);
    }
    return records;
  }

  async #takeAll(sorted: readonly ChannelRecord[]): Promise<Base | undefined> {
    let counting: ChannelRecord[] = [];
    for (const [at, record] of sorted.entries()) {
      if (!this.#counts(record)) continue;
      if (record.parsed.header.kind !== 'checkpoint') {
        counting.push(record);
        continue;
      }
      await this.#load(counting);
      counting = [];
      const checkpoint = await this.#takeCheckpoint(record);
      if (checkpoint) return { checkpoint, older: sorted.slice(at + 1) };
    }
    await this.#load(counting);
    return undefined;
  }

  /** Undefined where the checkpoint is not to be used, and reading goes on. */
  async #takeCheckpoint(record: ChannelRecord): Promise<Checkpoint | undefined> {
    const entered = this.#enter(record, 0);
    if (this.checkpoints.length < CHECKPOINTS_KEPT) this.checkpoints.push(entered);
    else this.dead.push(entered);
    if (this.#until === 'none') return undefined;
    for await (const { payload } of this.#context.loader.loadAll([record], PRIORITY)) {
      // A checkpoint whose file is gone was removed while it was read, and nothing was lost with it.
      if (isProblem(payload)) {
        if (payload.kind !== 'gap') this.#report(payload);
      } else if (payload.checkpoint && guardsOf(payload.checkpoint) <= UNREAD_GUARDS_MAX) return payload.checkpoint;
    }
    return undefined;
  }

  async #load(counting: readonly ChannelRecord[]): Promise<void> {
    for await (const { record, payload } of this.#context.loader.loadAll(counting, PRIORITY)) {
      if (!isProblem(payload)) this.#take(record, payload);
      else if (payload.kind === 'gap') this.#vanished.push(payload);
      else this.#hide(payload);
    }
  }

  /** False for twins of a record and for what a former owner wrote too late. */
  #counts(record: ChannelRecord): boolean {
    const { header } = record.parsed;
    const twin = this.#last?.parsed.header;
    if (twin && twin.epoch === header.epoch && twin.seq === header.seq) {
      this.strays.push(record.message.id);
      if (this.#last?.message.content !== record.message.content) {
        this.#reportEpoch(record, `a second record ${header.seq} of epoch ${header.epoch} does not count`);
      }
      return false;
    }
    if (this.#epochs.isZombie(header)) {
      this.strays.push(record.message.id);
      this.#reportEpoch(record, `record ${header.seq} of epoch ${header.epoch} came after a newer epoch began`);
      return false;
    }
    this.#last = record;
    this.newest ??= header;
    this.#gaps.note(header.seq);
    return true;
  }

  #enter({ message, parsed: { header } }: ChannelRecord, entries: number): LogRecord {
    const record = new LogRecord();
    record.seq = header.seq;
    record.messageId = message.id;
    record.entries = entries;
    record.newestOfEpoch = header.epoch !== this.#epoch;
    if (record.newestOfEpoch) this.#newestOfEpochs.push(record);
    this.#epoch = header.epoch;
    this.newestRecord ??= record;
    return record;
  }

  #take(from: ChannelRecord, { entries, marks }: Payload): void {
    const { liveness } = this.#context;
    const record = this.#enter(from, entries.length);
    record.marks = markKeys(marks);
    const postedAt = snowflakeTime(from.message.id);
    for (let slot = entries.length - 1; slot >= 0; slot--) {
      const { op, recordId, bytes } = entries[slot]!;
      if (recordId >= liveness.nextRecordId) liveness.nextRecordId = recordId + 1;
      if (op === 'delete') record.deletions++;
      const holder = this.#holders.get(recordId);
      if (holder && holder !== record) holder.supersedes(record);
      if (!holder) this.#holders.set(recordId, record);
      if (holder || op === 'delete') {
        record.retire(slot);
        continue;
      }
      record.live++;
      liveness.documents++;
      liveness.posted(bytes, postedAt);
      this.#visit({ recordId, placement: { record, slot }, bytes });
    }
    if (!liveness.adopt(record)) this.dead.push(record);
    if (record.deletions > 0) this.#tombstones.push(record);
    this.#takeMarks(record, marks);
  }

  /** Takes over what stood in the channel as of a checkpoint. Returns false where something there is not as it was told. */
  async #takeBase({ checkpoint, older }: Base): Promise<boolean> {
    this.unconfirmed.push(...checkpoint.unconfirmed);
    const unread = new Map<MessageId, CheckpointRow>();
    const rows = checkpoint.rows.toReversed();
    for (const row of rows) {
      const { record } = row;
      if (row.checkpoint) this.checkpoints.push(record);
      else if (record.live === 0) this.dead.push(record);
      if (record.newestOfEpoch) this.#newestOfEpochs.push(record);
      if (record.live > 0 || (row.answers && this.#isYoung(record))) unread.set(record.messageId!, row);
    }
    for (const record of this.#newestOfEpochs) record.followsUnread = true;
    const inHand = older.filter(({ message }) => unread.has(message.id));
    if (!(await this.#takeRows(inHand, unread))) return false;
    const ids = [...unread.keys()].sort((left, right) => (left > right ? -1 : 1));
    for await (const page of this.#context.pages.named(ids, PRIORITY)) {
      const found = page.map(classify).filter((one): one is ChannelRecord => one.kind === 'record');
      if (found.length < page.length || !(await this.#takeRows(found, unread))) return false;
    }
    for (const { record } of unread.values()) this.#takeGone(record);
    return true;
  }

  async #takeRows(found: readonly ChannelRecord[], unread: Map<MessageId, CheckpointRow>): Promise<boolean> {
    for await (const { record, payload } of this.#context.loader.loadAll(found, PRIORITY)) {
      const row = unread.get(record.message.id)!;
      // Removed while it was read: as good as gone before.
      if (isProblem(payload) && payload.kind === 'gap') continue;
      if (isProblem(payload) || record.parsed.header.seq !== row.record.seq) return false;
      if (!this.#takeRow(row.record, payload)) return false;
      unread.delete(record.message.id);
    }
    return true;
  }

  #takeRow(record: LogRecord, { entries, marks }: Payload): boolean {
    if (entries.length !== record.entries) return false;
    const { liveness } = this.#context;
    record.marks = markKeys(marks);
    this.#takeMarks(record, marks);
    if (record.live === 0) return true;
    const postedAt = snowflakeTime(record.messageId!);
    for (let slot = entries.length - 1; slot >= 0; slot--) {
      if (!record.isLive(slot)) continue;
      const { op, recordId, bytes } = entries[slot]!;
      if (op === 'delete') return false;
      const holder = this.#holders.get(recordId);
      if (holder) {
        holder.supersedes(record);
        record.retire(slot);
        record.live--;
        continue;
      }
      liveness.documents++;
      liveness.posted(bytes, postedAt);
      this.#visit({ recordId, placement: { record, slot }, bytes });
    }
    if (!liveness.adopt(record)) this.dead.push(record);
    return true;
  }

  /**
   * The record was removed since the checkpoint, because all in it was superseded; by which deletions is not to be told
   * any more. What it superseded itself may still be there.
   */
  #takeGone(record: LogRecord): void {
    record.live = 0;
    record.die();
    record.removed = true;
    for (const tombstone of this.#tombstones) tombstone.supersedes(record);
  }

  #isYoung({ messageId }: LogRecord): boolean {
    return messageId !== undefined && this.#context.env.clock.now() - snowflakeTime(messageId) <= MARK_LIFETIME_MS;
  }

  /** What nobody repeats any more is left out: there may be as many marks as documents. */
  #takeMarks({ marks: keys, messageId }: LogRecord, marks: readonly RetryMark[]): void {
    if (!keys || messageId === undefined) return;
    const { env, horizon } = this.#context;
    const postedAt = snowflakeTime(messageId);
    horizon.note(keys, postedAt);
    const open = keys.filter((key) => !horizon.isPast(key, postedAt, env.clock.now()));
    if (open.length === 0) return;
    for (const mark of marks) if (open.length === keys.length || open.some((key) => isOf(mark, key))) this.#keep(mark);
  }

  /** A copy, so that it does not hold on to the whole record. */
  #keep({ lsid, result, ...numbers }: RetryMark): void {
    this.marks.push({ ...numbers, lsid: Uint8Array.from(lsid), result: Uint8Array.from(result) });
  }

  #reportEpoch({ message, parsed: { header } }: ChannelRecord, text: string): void {
    this.#report({ kind: 'epoch', messageId: message.id, fromSeq: header.seq, toSeq: header.seq, text });
  }

  #hide(problem: LogProblem): void {
    this.hidden++;
    this.#report(problem);
  }

  #report(problem: LogProblem): void {
    this.problems.push(problem);
    this.#context.onProblem(problem);
  }
}

function guardsOf({ rows }: Checkpoint): number {
  return rows.reduce((count, { record }) => (record.newestOfEpoch ? count + 1 : count), 0);
}
