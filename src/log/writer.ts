import { assert, type Clock, type Deferred, deferred } from '../base/index.ts';
import {
  type ChannelId,
  type Draft,
  type Message,
  type MessageId,
  type Priority,
  type Store,
  StoreError,
  snowflakeTime,
} from '../store/index.ts';
import { Batch, entrySize, markSize } from './batch.ts';
import { classify } from './channel-record.ts';
import type { Cleaner } from './cleaner.ts';
import { Company } from './company.ts';
import type { Liveness } from './liveness.ts';
import type { LogRecord } from './log-record.ts';
import { nonceOf } from './nonce.ts';
import { encodeRecord, RECORD_BYTES_MAX } from './record.ts';
import type { Sealer } from './sealer.ts';
import type { Append, Appended, Entry, FetchedRecord, LogProblem, RetryMark } from './types.ts';

/** Bytes that may wait before `room` makes writers wait: three full records. */
export const QUEUE_BYTES_MAX = 3 * RECORD_BYTES_MAX;
/** How often a record that Discord stored otherwise than it was sent is sent again. */
const REPAIRS_MAX = 2;
/** While upkeep waits, every eighth record is upkeep's. */
const UPKEEP_SHARE = 8;

/** Where the log stands when writing begins. */
export interface WriterStart {
  readonly epoch: number;
  /** The first sequence of this epoch. */
  readonly since: number;
  /** Nothing of a former owner can still come to count. */
  readonly owned: boolean;
  readonly nextSeq: number;
}

export interface WriterContext {
  readonly clock: Clock;
  readonly store: Store;
  readonly channel: ChannelId;
  readonly liveness: Liveness;
  readonly cleaner: Cleaner;
  readonly sealer: Sealer | undefined;
  readonly onProblem: (problem: LogProblem) => void;
}

/** A record of upkeep that waits; what goes into it is known only when it may leave. */
interface Errand {
  readonly batch: Batch;
  readonly compose: (batch: Batch) => void;
}

/**
 * Group commit. Whatever is appended joins the last batch of the queue; one batch at a time is under way. A batch is
 * sealed only when its request may leave, so that all that waited goes along. Batches become durable in order.
 */
export class Writer {
  readonly #context: WriterContext;
  readonly #company: Company;
  readonly #epoch: number;
  readonly #since: number;
  #nextSeq: number;
  #owned: boolean;
  /** In order; what is appended joins the last. */
  readonly #queue: Batch[] = [];
  readonly #errands: Errand[] = [];
  /** Records of clients that went first since an errand waits. */
  #passedErrand = 0;
  /** Sealed and on its way. */
  #flying: Batch | undefined;
  /** The record under way, from the wait for its turn to the answer. */
  #flight: Promise<void> | undefined;
  #draining = false;
  #waitingBytes = 0;
  #room: Deferred<void> | undefined;
  #stopped: Error | undefined;

  constructor(context: WriterContext, start: WriterStart) {
    this.#context = context;
    this.#company = new Company(context.clock);
    this.#epoch = start.epoch;
    this.#since = start.since;
    this.#nextSeq = start.nextSeq;
    this.#owned = start.owned;
  }

  /**
   * A group goes into one record, or into consecutive ones where it is too large. Its marks go with its last entry:
   * a repetition must not be answered from a mark whose write was lost.
   */
  append(entries: readonly Entry[], marks: readonly RetryMark[]): Appended {
    if (this.#stopped) throw this.#stopped;
    if (entries.length === 0 && marks.length === 0) return { placements: [], durable: Promise.resolve() };
    this.#company.note(marks);
    const group = sum(entries, entrySize) + sum(marks, markSize);
    let batch = this.#batchFor(group);
    const placements = entries.map((entry) => {
      batch = batch.fits(entrySize(entry)) ? batch : this.#newBatch();
      return batch.add(entry);
    });
    for (const mark of marks) {
      batch = batch.fits(markSize(mark)) ? batch : this.#newBatch();
      batch.mark(mark);
    }
    this.#waitingBytes += group;
    this.#pump();
    return { placements, durable: batch.durable.promise };
  }

  /** See `Log.appendLast`. */
  appendLast(compose: (append: Append) => void): Promise<void> {
    return this.#errand((batch) => compose((entries, marks = []) => appendTo(batch, entries, marks)));
  }

  /** See `Log.checkpoint`. */
  async checkpoint(): Promise<boolean> {
    const { cleaner, liveness } = this.#context;
    let written = false;
    await this.#errand((batch) => {
      batch.checkpoint = cleaner.describe(liveness.records);
      written = batch.checkpoint !== undefined;
    });
    return written;
  }

  #errand(compose: (batch: Batch) => void): Promise<void> {
    if (this.#stopped) throw this.#stopped;
    if (this.#draining) throw new StoreError('closed', 'the log is being closed');
    const batch = new Batch();
    this.#errands.push({ batch, compose });
    this.#pump();
    return batch.durable.promise;
  }

  /** See `Log.fence`. */
  async fence(): Promise<void> {
    if (this.#stopped) throw this.#stopped;
    if (!this.#owned && !this.#flying && this.#queue.length === 0) {
      this.#newBatch();
      this.#pump();
    }
    await this.flush();
  }

  /** Resolves when less than `QUEUE_BYTES_MAX` wait. */
  async room(): Promise<void> {
    while (!this.#stopped && this.#waitingBytes >= QUEUE_BYTES_MAX) {
      this.#room ??= deferred();
      await this.#room.promise;
    }
    if (this.#stopped) throw this.#stopped;
  }

  async flush(): Promise<void> {
    if (this.#stopped) throw this.#stopped;
    await (this.#queue.at(-1) ?? this.#flying)?.durable.promise;
  }

  /** Ends what upkeep still wants to write, and resolves when nothing is under way. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#refuseErrands(new StoreError('closed', 'the log is being closed'));
    await this.flush();
    // Another log of the same epoch may follow, and must find what is on its way now.
    await this.#flight;
  }

  /** What stopped it. */
  get failure(): Error | undefined {
    return this.#stopped;
  }

  /** A record that is not durable yet. */
  waiting(record: LogRecord): FetchedRecord | undefined {
    const batch =
      this.#flying?.record === record ? this.#flying : this.#queue.find((queued) => queued.record === record);
    return batch;
  }

  /** Rejects what waits, and everything from now on, with `error`. */
  stop(error: Error): void {
    if (this.#stopped) return;
    this.#stopped = error;
    this.#flying?.durable.reject(error);
    for (const batch of this.#queue) batch.durable.reject(error);
    this.#queue.length = 0;
    this.#refuseErrands(error);
    this.#room?.resolve();
  }

  #refuseErrands(error: Error): void {
    for (const { batch } of this.#errands) batch.durable.reject(error);
    this.#errands.length = 0;
  }

  #batchFor(group: number): Batch {
    const last = this.#queue.at(-1);
    return last?.fits(group) ? last : this.#newBatch();
  }

  #newBatch(): Batch {
    const batch = new Batch();
    this.#queue.push(batch);
    return batch;
  }

  #pump(): void {
    if (this.#flight || this.#stopped || this.#queue.length + this.#errands.length === 0) return;
    this.#flight = this.#fly().then(
      () => {
        this.#flight = undefined;
        this.#pump();
      },
      (error) => this.stop(error),
    );
  }

  async #fly(): Promise<void> {
    const { store, channel, liveness, cleaner } = this.#context;
    const priority: Priority = this.#queue.length > 0 ? 'commit' : 'upkeep';
    if (priority === 'commit' && this.#company.expected) await this.#company.gather();
    if (this.#stopped) return;
    let dead: LogRecord[] = [];
    let draft: Draft | undefined;
    const seal = () => {
      const batch = this.#close();
      dead = liveness.seal(batch.record, batch.entries);
      draft = this.#draft(batch, 'anywhere');
      return draft;
    };
    const first = await store.append(channel, seal, priority);
    const batch = this.#flying;
    assert(batch && draft, 'the store seals before it answers');
    const message = isAsSent(draft, first) ? first : await this.#repair(batch, first);
    if (this.#stopped) return;
    const { record } = batch;
    record.messageId = message.id;
    this.#owned = true;
    this.#flying = undefined;
    this.#waitingBytes -= batch.bytes;
    cleaner.newest = record;
    const postedAt = snowflakeTime(message.id);
    for (const { op, bytes } of batch.entries) if (op === 'put') liveness.posted(bytes, postedAt);
    if (record.marks) cleaner.horizon.note(record.marks, postedAt);
    batch.durable.resolve();
    if (batch.checkpoint) cleaner.keep(record);
    else cleaner.bury(dead);
    if (this.#waitingBytes >= QUEUE_BYTES_MAX) return;
    this.#room?.resolve();
    this.#room = undefined;
  }

  #close(): Batch {
    // Where an errand was called off while its request waited, a record without entries goes.
    const batch = this.#nextErrand() ?? this.#queue.shift() ?? new Batch();
    this.#company.left();
    this.#flying = batch;
    batch.close(this.#nextSeq++);
    return batch;
  }

  /** The errand whose turn it is, with what it is to carry. A client's write that came after it may go first, on its request. */
  #nextErrand(): Batch | undefined {
    const [errand] = this.#errands;
    if (!errand) return undefined;
    if (this.#queue.length > 0 && ++this.#passedErrand < UPKEEP_SHARE) return undefined;
    this.#passedErrand = 0;
    this.#errands.shift();
    const { batch, compose } = errand;
    compose(batch);
    this.#waitingBytes += batch.bytes;
    return batch;
  }

  #draft(batch: Batch, where: 'anywhere' | 'files'): Draft {
    const { channel, liveness, sealer } = this.#context;
    const { documents, superseding, nextRecordId, ahead, live } = liveness;
    const { seq } = batch.record;
    const place = { epoch: this.#epoch, since: this.#since, seq, documents, superseding, nextRecordId, ahead, live };
    const { content, files } = encodeRecord(place, batch, where, sealer);
    return { content, files, nonce: nonceOf(channel, this.#epoch, seq) };
  }

  /** Discord holds something else than was sent: sends the same entries again, as a file, which it leaves alone. */
  async #repair(batch: Batch, wrong: Message): Promise<Message> {
    const { store, channel, liveness } = this.#context;
    let last = wrong;
    for (let repair = 0; repair < REPAIRS_MAX; repair++) {
      this.#report(batch, last.id);
      liveness.renumber(batch.record, this.#nextSeq++);
      const draft = this.#draft(batch, 'files');
      const answer = await store.append(channel, () => draft);
      this.#discardDamaged(last);
      if (isAsSent(draft, answer)) return answer;
      last = answer;
    }
    this.#report(batch, last.id);
    throw new StoreError('refused', `Discord does not keep record ${batch.record.seq} as it is sent`);
  }

  /** A whole record is left where it is: the nonce of an earlier one may have been answered with it. */
  #discardDamaged(message: Message): void {
    if (classify(message).kind !== 'record') this.#context.cleaner.discard([message.id]);
  }

  #report({ record: { seq } }: Batch, messageId: MessageId): void {
    const text = `Discord stored message ${messageId} otherwise than it was sent; record ${seq} is written again`;
    this.#context.onProblem({ kind: 'checksum', messageId, fromSeq: seq, toSeq: seq, text });
  }
}

function appendTo(batch: Batch, entries: readonly Entry[], marks: readonly RetryMark[]): Appended {
  const bytes = sum(entries, entrySize) + sum(marks, markSize);
  assert(batch.bytes + bytes <= RECORD_BYTES_MAX, 'what upkeep writes fits in a record');
  const placements = entries.map((entry) => batch.add(entry));
  for (const mark of marks) batch.mark(mark);
  return { placements, durable: batch.durable.promise };
}

/** True when Discord's answer shows the content that was sent, and files of the same names and sizes. */
function isAsSent(draft: Draft, { content, attachments }: Message): boolean {
  return (
    content === draft.content &&
    attachments.length === draft.files.length &&
    draft.files.every(({ name, bytes }) =>
      attachments.some((attachment) => attachment.name === name && attachment.size === bytes.length),
    )
  );
}

function sum<T>(items: readonly T[], size: (item: T) => number): number {
  return items.reduce((total, item) => total + size(item), 0);
}
