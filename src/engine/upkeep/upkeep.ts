import type { Env, Timer } from '../../base/index.ts';
import { type Doc, doc as literal } from '../../bson/index.ts';
import type { ChannelId, MessageId } from '../../store/index.ts';
import { type Collection, nsText } from '../collection.ts';
import { PACK_BYTES, PACKING_LIMITS, type PackingLimits, pack } from './packing.ts';

/** When upkeep does what. */
export interface UpkeepLimits extends PackingLimits {
  /** Between two passes; a collection that nobody wrote in between counts as quiet. */
  readonly passEveryMs: number;
  /** A collection of more records is looked at although it is being written. */
  readonly busyRecords: number;
  /** So much garbage since the newest checkpoint that an opening would read pages of it for nothing: a new one is written. */
  readonly checkpointAt: number;
  /** An open channel is walked so often, the first time when it has been open for so long. */
  readonly scrubEveryMs: number;
  /** So many messages that Discord deletes only one by one, and many more than it takes to write all documents anew: */
  readonly compactAtTooOld: number;
  /** then the collection moves to another channel, unless that was tried so short a time ago. */
  readonly compactEveryMs: number;
}

const UPKEEP_LIMITS: UpkeepLimits = {
  ...PACKING_LIMITS,
  passEveryMs: 60_000,
  busyRecords: 2000,
  checkpointAt: 300,
  scrubEveryMs: 24 * 60 * 60 * 1000,
  compactAtTooOld: 500,
  compactEveryMs: 60 * 60 * 1000,
};

/** A message that is deleted by itself takes about four times as long as one that is written (discord-facts 1a). */
const WRITES_A_DELETION = 4;

/** A collection and where it stands. */
export interface Kept {
  readonly collection: Collection;
  readonly channel: ChannelId;
}

export interface UpkeepContext {
  readonly env: Env;
  /** Those that are in memory. */
  collections(): Iterable<Kept>;
  /** Writes a collection anew in another channel, the newest documents each by itself. False where that came to nothing. */
  compact(collection: Collection, readable: number, goesOn: () => boolean): Promise<boolean>;
  /** Told of messages with newest versions that are not in their channel. */
  onMissing(channel: ChannelId, ids: readonly MessageId[]): void;
  /** In place of the usual ones. */
  readonly limits?: Partial<UpkeepLimits> | undefined;
}

/** What upkeep knows of a collection from the pass before. */
interface Seen {
  /** Its count of commits by clients. */
  commits: number;
  /** The same, when its last pass was finished: until it changes there is nothing to do. */
  doneAt: number;
  /** When it was walked last, or opened, by the steady clock. */
  scrubbedAt: number;
  /** When it was moved, or that was tried; undefined where it was not. */
  compactedAt: number | undefined;
  /** The last walk met records that are not sealed with the key that seals now. */
  otherwiseSealed: boolean;
}

/**
 * Keeps the channels of open collections short, in spare budget: one collection after the other, a pass a minute. All of
 * it may fail or be ended at any moment; the next pass finds what is left.
 */
export class Upkeep {
  readonly #context: UpkeepContext;
  readonly #limits: UpkeepLimits;
  readonly #seen = new WeakMap<Collection, Seen>();
  readonly #queue: Kept[] = [];
  readonly #done = { documents: 0, packs: 0, checkpoints: 0, compactions: 0, scrubbed: 0, missing: 0, problems: 0 };
  /** What is under way on each collection: one thing at a time. */
  readonly #busy = new Map<Collection, Promise<unknown>>();
  #working: Collection | undefined;
  #paused = false;
  #stopped = false;
  #timer: Timer;
  #pass: Promise<void> | undefined;

  constructor(context: UpkeepContext) {
    this.#context = context;
    this.#limits = { ...UPKEEP_LIMITS, ...context.limits };
    this.#timer = this.#schedule();
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Takes effect after the request under way. */
  set paused(paused: boolean) {
    this.#paused = paused;
  }

  /** Ends after the request under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer.cancel();
    await this.#pass;
    await Promise.allSettled(this.#busy.values());
  }

  /** Moves a collection to another channel now, after what is under way on it. */
  compact({ collection }: Kept): Promise<boolean> {
    return this.#alone(collection, () => this.#compact(collection, () => !this.#stopped));
  }

  /** Numbers for `serverStatus().discodb.upkeep`; since the process started. */
  status(): Doc {
    const { documents, packs, checkpoints, compactions, scrubbed, missing, problems } = this.#done;
    let live = 0;
    let garbage = 0;
    for (const { collection } of this.#context.collections()) {
      const standing = collection.log.standing();
      live += standing.live;
      garbage += standing.garbage;
    }
    return literal({
      paused: this.#paused,
      working: this.#working ? nsText(this.#working.ns) : null,
      queued: this.#queue.length,
      records: { live, garbage },
      packed: { documents, packs },
      checkpoints,
      compactions,
      scrubbed: { channels: scrubbed, missing },
      problems,
    });
  }

  #schedule(): Timer {
    const run = () => {
      this.#timer = this.#schedule();
      if (this.#pass || this.#paused) return;
      this.#pass = this.#run().finally(() => {
        this.#pass = undefined;
      });
    };
    return this.#context.env.clock.timer(this.#limits.passEveryMs, run, { unref: true });
  }

  async #run(): Promise<void> {
    for (const kept of this.#context.collections()) if (this.#isDue(kept.collection)) this.#queue.push(kept);
    const goesOn = () => !this.#stopped && !this.#paused;
    for (let next = this.#queue.shift(); next; next = goesOn() ? this.#queue.shift() : undefined) {
      this.#working = next.collection;
      const kept = next;
      await this.#alone(kept.collection, () => this.#keep(kept, goesOn));
    }
    this.#working = undefined;
    this.#queue.length = 0;
  }

  #isDue(collection: Collection): boolean {
    const { commits } = collection;
    const now = this.#context.env.clock.monotonic();
    const seen = this.#seen.get(collection) ?? {
      commits: -1,
      doneAt: -1,
      scrubbedAt: now,
      compactedAt: undefined,
      otherwiseSealed: false,
    };
    const quiet = seen.commits === commits;
    this.#seen.set(collection, { ...seen, commits });
    const { live, agingGarbage, garbageSinceCheckpoint } = collection.log.standing();
    const { scrubEveryMs, busyRecords, checkpointAt } = this.#limits;
    if (agingGarbage > 0 || now - seen.scrubbedAt >= scrubEveryMs) return true;
    if (this.#wantsCompaction(collection, seen)) return true;
    if (seen.doneAt === commits) return false;
    return quiet || live >= busyRecords || garbageSinceCheckpoint >= checkpointAt;
  }

  async #keep({ collection, channel }: Kept, goesOn: () => boolean): Promise<void> {
    const { env } = this.#context;
    const { commits, log } = collection;
    try {
      if (log.standing().agingGarbage > 0) await log.clean();
      const { documents, records } = await pack(env.clock, collection, goesOn, this.#limits);
      this.#done.documents += documents;
      this.#done.packs += records;
      const { garbageSinceCheckpoint } = log.standing();
      if (goesOn() && garbageSinceCheckpoint >= this.#limits.checkpointAt && (await log.checkpoint())) {
        this.#done.checkpoints++;
      }
      const seen = this.#seen.get(collection)!;
      if (goesOn()) seen.doneAt = commits;
      if (goesOn() && this.#wantsCompaction(collection, seen)) await this.#compact(collection, goesOn);
      const due = env.clock.monotonic() - seen.scrubbedAt >= this.#limits.scrubEveryMs;
      if (due && goesOn()) await this.#scrub({ collection, channel }, seen, goesOn);
    } catch (error) {
      this.#done.problems++;
      env.log.warn({ err: error, ns: collection.ns }, 'upkeep of a collection ends for now');
    }
  }

  #wantsCompaction(collection: Collection, { compactedAt, otherwiseSealed }: Seen): boolean {
    const { compactAtTooOld, compactEveryMs } = this.#limits;
    const now = this.#context.env.clock.monotonic();
    if (compactedAt !== undefined && now - compactedAt < compactEveryMs) return false;
    const { tooOldGarbage } = collection.log.standing();
    const writes = collection.dataSize / PACK_BYTES + this.#readableOf(collection);
    return otherwiseSealed || (tooOldGarbage >= compactAtTooOld && tooOldGarbage * WRITES_A_DELETION > writes);
  }

  async #compact(collection: Collection, goesOn: () => boolean): Promise<boolean> {
    const { env, compact } = this.#context;
    const seen = this.#seen.get(collection);
    if (seen) seen.compactedAt = env.clock.monotonic();
    if (!(await compact(collection, this.#readableOf(collection), goesOn))) return false;
    this.#done.compactions++;
    if (seen) seen.otherwiseSealed = false;
    return true;
  }

  #readableOf({ count }: Collection): number {
    return Math.min(count, this.#limits.readableRecords);
  }

  async #alone<T>(collection: Collection, work: () => Promise<T>): Promise<T> {
    const running = Promise.allSettled([this.#busy.get(collection)]).then(work);
    this.#busy.set(collection, running);
    try {
      return await running;
    } finally {
      if (this.#busy.get(collection) === running) this.#busy.delete(collection);
    }
  }

  /** What is missing is told, to be followed up; what is wrong is said. */
  async #scrub({ collection, channel }: Kept, seen: Seen, goesOn: () => boolean): Promise<void> {
    const { env, onMissing } = this.#context;
    const scrubbed = await collection.log.scrub(goesOn);
    if (!scrubbed) return;
    seen.scrubbedAt = env.clock.monotonic();
    this.#done.scrubbed++;
    this.#done.missing += scrubbed.missing.length;
    seen.otherwiseSealed = scrubbed.otherwiseSealed > 0;
    for (const { kind, messageId, text } of scrubbed.problems) {
      // What people say in a channel is no fault of it.
      if (kind === 'foreign') continue;
      this.#done.problems++;
      env.log.error({ ns: collection.ns, channel, kind, messageId: messageId?.toString() }, text);
    }
    if (scrubbed.missing.length > 0) onMissing(channel, scrubbed.missing);
  }
}
