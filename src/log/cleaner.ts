import type { Env } from '../base/index.ts';
import {
  BULK_DELETE_AGE_MAX_MS,
  BULK_DELETE_MAX,
  type ChannelId,
  type MessageId,
  PAGE_MESSAGES_MAX,
  type Store,
  snowflakeTime,
} from '../store/index.ts';
import { CHECKPOINT_RECORDS_MAX, type Checkpoint } from './checkpoint.ts';
import type { LogRecord } from './log-record.ts';
import { MarkHorizon } from './mark-horizon.ts';
import { answersRepetitions, guards, isGuard, isSpent, type RemovalState } from './removal.ts';

/** Pages read to see that removed messages are gone; what lies further on waits for the next pass. */
const CONFIRM_PAGES_MAX = 10;
/** Past this, one pass of confirming is made even when no deletion waits for it, so that the list stays short. */
const UNCONFIRMED_MAX = 10_000;
/** A message of this age is deleted alone, in a request of its own; with time to spare for the request to wait. */
const TOO_OLD_MS = BULK_DELETE_AGE_MAX_MS - 2 * 60 * 60 * 1000;
/** Garbage of this age goes although it is not a hundred: tomorrow it would cost a hundred times as much. */
const AGING_MS = BULK_DELETE_AGE_MAX_MS - 24 * 60 * 60 * 1000;
/** Of what is too old a pass removes so many; the rest does no harm, and a checkpoint spares its reading. */
const TOO_OLD_A_PASS = 50;
/** Should the newest turn out to be damaged, the one before it is still there. */
export const CHECKPOINTS_KEPT = 2;
/** What one checkpoint holds at most beside its rows, so that it fits in a record. */
const CHECKPOINT_LINKS_MAX = 1_000_000;
const CHECKPOINT_ENTRIES_MAX = 32_000_000;

/** What recovery found to be of no use, and what it must be judged by. */
export interface Garbage {
  readonly newestRecord: LogRecord | undefined;
  readonly hidden: number;
  readonly dead: readonly LogRecord[];
  readonly strays: readonly MessageId[];
  /** Newest first. */
  readonly checkpoints: readonly LogRecord[];
  /** Removed by a former process, which had not seen them to be gone. */
  readonly unconfirmed: readonly MessageId[];
}

/**
 * Removes what is superseded, a hundred at a time, off the write path. Correctness never depends on it: a pass that
 * fails, or a removal that Discord forgets, leaves garbage that the next pass or the next recovery finds again.
 */
export class Cleaner {
  readonly horizon = new MarkHorizon();
  /** The newest durable record. */
  newest: LogRecord | undefined;
  /** Set by recovery where messages could not be read. */
  hidden = false;
  readonly #env: Env;
  readonly #store: Store;
  readonly #channel: ChannelId;
  /** Dead records whose superseding records are durable. */
  #dead: LogRecord[] = [];
  /** Messages that count for nothing: duplicates, zombies, damaged copies. */
  #strays: MessageId[] = [];
  readonly #unconfirmed = new Set<MessageId>();
  /** Oldest first. */
  readonly #checkpoints: LogRecord[] = [];
  #passAt = BULK_DELETE_MAX;
  #pass: Promise<void> | undefined;
  #stopped = false;

  constructor(env: Env, store: Store, channel: ChannelId) {
    this.#env = env;
    this.#store = store;
    this.#channel = channel;
  }

  /** Messages that wait to be removed. */
  get garbage(): number {
    return this.#dead.length + this.#strays.length;
  }

  /** Garbage that can be deleted in bulk for less than a day more. */
  get agingGarbage(): number {
    const ages = this.#dead.map((record) => this.#ageOf(record));
    return ages.filter((age) => age >= AGING_MS && age < TOO_OLD_MS).length;
  }

  /** Garbage of which each message takes a request of its own. */
  get tooOldGarbage(): number {
    return this.#dead.reduce((count, record) => (this.#ageOf(record) >= TOO_OLD_MS ? count + 1 : count), 0);
  }

  /** Garbage that came up since the newest checkpoint: whoever reads the channel passes over all of it. */
  get garbageSinceCheckpoint(): number {
    const from = this.#checkpoints.at(-1)?.seq ?? 0;
    return this.#dead.reduce((count, { seq }) => (seq > from ? count + 1 : count), 0);
  }

  takeOver({ newestRecord, hidden, dead, strays, checkpoints, unconfirmed }: Garbage): void {
    this.newest = newestRecord;
    this.hidden = hidden > 0;
    for (const id of unconfirmed) this.#unconfirmed.add(id);
    for (const checkpoint of checkpoints.toReversed()) this.keep(checkpoint);
    this.bury(dead);
    if (strays.length > 0) this.discard(strays);
  }

  /** Takes over records that hold no newest version, now that what superseded them is durable. */
  bury(dead: readonly LogRecord[]): void {
    for (const record of dead) this.#dead.push(record);
    this.#passWhenDue();
  }

  /** Takes over a durable checkpoint. The one before it stays as well. */
  keep(checkpoint: LogRecord): void {
    this.#checkpoints.push(checkpoint);
    if (this.#checkpoints.length > CHECKPOINTS_KEPT) this.bury(this.#checkpoints.splice(0, 1));
  }

  /**
   * All that stands in the channel, as of the newest sealed record; `live` are the records with newest versions.
   * Undefined where not everything is known, or it is too much.
   */
  describe(live: ReadonlySet<LogRecord>): Checkpoint | undefined {
    const all = [...live, ...this.#dead, ...this.#checkpoints];
    if (this.hidden || all.length > CHECKPOINT_RECORDS_MAX) return undefined;
    const known = new Set(all);
    let [links, entries] = [0, 0];
    for (const record of all) {
      const older = record.surviving();
      for (const one of older) if (!known.has(one)) return undefined;
      links += older.size;
      entries += record.entries;
    }
    if (links > CHECKPOINT_LINKS_MAX || entries > CHECKPOINT_ENTRIES_MAX) return undefined;
    const state = this.#state();
    const checkpoints = new Set(this.#checkpoints);
    const rows = all
      .sort((left, right) => left.seq - right.seq)
      .map((record) => ({
        record,
        answers: answersRepetitions(record, state),
        checkpoint: checkpoints.has(record),
      }));
    return { rows, unconfirmed: [...this.#unconfirmed, ...this.#strays] };
  }

  /** Takes over messages that are no part of the log, and removes them soon: a recovery would complain of them. */
  discard(strays: readonly MessageId[]): void {
    this.#strays.push(...strays);
    this.#passWhenDue();
  }

  /** Removes all that may go now. */
  async clean(): Promise<void> {
    while (this.#pass) await this.#pass;
    if (!this.#stopped) await this.#start(1);
  }

  /** Ends after the request under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#pass;
  }

  #passWhenDue(): void {
    const due = this.#strays.length > 0 || this.#dead.length >= this.#passAt;
    if (!due || this.#stopped || this.#pass) return;
    this.#start(BULK_DELETE_MAX).catch((error) => {
      this.#env.log.warn({ err: error, channel: this.#channel }, 'superseded messages stay for now');
    });
  }

  /** `atLeast`: a kind of garbage that has gathered less than this is left for a later pass. */
  #start(atLeast: number): Promise<void> {
    // What a rule holds back does not bring the next pass nearer.
    const dueAfter = (held: number) => {
      this.#passAt = held + BULK_DELETE_MAX;
    };
    const pass = this.#run(atLeast).then(dueAfter, (error) => {
      dueAfter(this.#dead.length);
      throw error;
    });
    // `clean` waits for a pass that another started, and is not the one to tell of its failure.
    this.#pass = pass
      .catch(() => {})
      .then(() => {
        this.#pass = undefined;
        this.#passWhenDue();
      });
    return pass;
  }

  /** Returns how many records may not go yet. */
  async #run(atLeast: number): Promise<number> {
    this.horizon.prune(this.#env.clock.now());
    await this.#removeStrays();
    const before = this.#state();
    const judged = [...this.#dead];
    const spent = judged.filter((record) => isSpent(record, before)).sort((left, right) => left.seq - right.seq);
    const plain = this.#affordable(spent.filter((record) => !isGuard(record)));
    const ready = plain.length % atLeast;
    await this.#remove(plain.slice(0, plain.length - ready));
    const assumed: RemovalState = { ...this.#state(), unconfirmed: 0 };
    const free = this.#affordable(spent.filter((record) => isGuard(record) && !guards(record, assumed)));
    const wanted = free.length >= atLeast;
    if (wanted || this.#unconfirmed.size > UNCONFIRMED_MAX) await this.#confirm();
    const confirmed = this.#state();
    if (wanted) await this.#remove(free.filter((record) => !guards(record, confirmed)));
    return judged.filter(({ removed }) => !removed).length - ready;
  }

  /** What goes in bulk, oldest first, while it still does; then a little of what does no more. */
  #affordable(records: readonly LogRecord[]): LogRecord[] {
    const tooOld = (record: LogRecord) => this.#ageOf(record) >= TOO_OLD_MS;
    return [...records.filter((record) => !tooOld(record)), ...records.filter(tooOld).slice(0, TOO_OLD_A_PASS)];
  }

  #ageOf({ messageId }: LogRecord): number {
    return messageId === undefined ? 0 : this.#env.clock.now() - snowflakeTime(messageId);
  }

  #state(): RemovalState {
    const { newest, horizon, hidden } = this;
    return { newest, horizon, hidden, unconfirmed: this.#unconfirmed.size, now: this.#env.clock.now() };
  }

  async #removeStrays(): Promise<void> {
    const strays = this.#strays;
    if (strays.length === 0) return;
    this.#strays = [];
    for (const id of strays) this.#unconfirmed.add(id);
    await this.#store.remove(this.#channel, strays);
  }

  /** Oldest first, so that what a removed record superseded is settled before it. */
  async #remove(records: readonly LogRecord[]): Promise<void> {
    for (let start = 0; start < records.length && !this.#stopped; start += BULK_DELETE_MAX) {
      const some = records.slice(start, start + BULK_DELETE_MAX);
      const ids = some.map(({ messageId }) => messageId!);
      // Before the request: if it fails, it may have been done or not.
      for (const id of ids) this.#unconfirmed.add(id);
      for (const record of some) record.leaving = true;
      await this.#store.remove(this.#channel, ids);
      for (const record of some) {
        record.surviving();
        record.removed = true;
      }
    }
    this.#dead = this.#dead.filter(({ removed }) => !removed);
  }

  /** Reads the part of the channel where removed messages stood, and removes again what still stands there. */
  async #confirm(): Promise<void> {
    const ids = [...this.#unconfirmed].sort((left, right) => (left < right ? -1 : 1));
    const [first, last] = [ids[0], ids.at(-1)];
    if (first === undefined || last === undefined) return;
    let after = first - 1n;
    const present: MessageId[] = [];
    for (let pages = 0; pages < CONFIRM_PAGES_MAX && after < last && !this.#stopped; pages++) {
      const page = await this.#store.pageAfter(this.#channel, after, PAGE_MESSAGES_MAX, 'upkeep');
      for (const { id } of page) if (this.#unconfirmed.has(id)) present.push(id);
      after = page.length < PAGE_MESSAGES_MAX ? last : page[0]!.id;
    }
    const seen = new Set(present);
    for (const id of ids) if (id <= after && !seen.has(id)) this.#unconfirmed.delete(id);
    if (present.length > 0) await this.#store.remove(this.#channel, present);
  }
}
