import { type Env, sleep, type Timer } from '../base/index.ts';
import {
  BULK_DELETE_MAX,
  type ChannelId,
  type MessageId,
  PAGE_MESSAGES_MAX,
  type Store,
  StoreError,
  snowflakeTime,
} from '../store/index.ts';
import { classify } from './channel-record.ts';
import { appendFence, type Fence, newestFence } from './fence.ts';
import { type KeyRing, requireKey } from './sealer.ts';

/** An owner says in the control channel that it is alive, this often. */
const LEASE_RENEWED_EVERY_MS = 2 * 60_000;
/** After so long without a word the owner is taken for dead. */
export const LEASE_MS = 5 * 60_000;
/** An owner looks for newer fences this often. */
const EVIDENCE_EVERY_MS = 10_000;
/** What an owner has seen this long ago proves nothing any more: it must look again before it acknowledges. */
export const EVIDENCE_MS = 30_000;

export interface LeaseOptions {
  /** Hexadecimal identity of the data directory, which one process at a time holds: its last owner is dead for sure. */
  readonly instance: string;
  /** Take over from a living owner. */
  readonly force: boolean;
}

/** Another process owns the guild. The message is for the user. */
export class OwnedError extends Error {
  override readonly name = 'OwnedError';
}

/**
 * The right to write, from the fence on. Discord has no compare-and-set: nothing keeps a former owner from posting. What
 * it must not do is acknowledge. So an owner acknowledges only on evidence, at most `EVIDENCE_MS` old, that there is no
 * newer fence; and whoever takes over from an owner that may be alive reads nothing before that time has passed since
 * its own fence. By then every acknowledged write stands in its channel, and whatever comes later is below the epoch.
 */
export class Ownership {
  readonly #store: Store;
  readonly #channel: ChannelId;
  readonly #env: Env;
  /** The newest of this process. */
  #fence: Fence;
  /**
   * What stood in the channel up to here was seen, in a look before the last one. Not this process's newest fence: another
   * one's may have come between two looks, and stand before it.
   */
  #seen: MessageId;
  /** The newest that the last look saw. */
  #newest: MessageId;
  #evidenceAt: number;
  #looking: Promise<void> | undefined;
  #lost: StoreError | undefined;
  #timers: Timer[] = [];
  #spent: MessageId[] = [];

  private constructor(store: Store, channel: ChannelId, env: Env, fence: Fence, evidenceAt: number) {
    this.#store = store;
    this.#channel = channel;
    this.#env = env;
    this.#fence = fence;
    this.#seen = this.#newest = fence.messageId;
    this.#evidenceAt = evidenceAt;
  }

  /**
   * Appends a fence above every earlier one. Without `lease` nobody else can reach this Discord, and nothing is watched.
   * Rejects with an OwnedError while another owner's lease is fresh, with a MissingKeyError, or with a StoreError.
   */
  static async claim(
    store: Store,
    channel: ChannelId,
    env: Env,
    { keys, lease }: { readonly keys?: KeyRing | undefined; readonly lease?: LeaseOptions | undefined } = {},
  ): Promise<Ownership> {
    const before = await newestFence(store, channel);
    if (before?.header.keyId !== undefined) requireKey(keys, before.header.keyId);
    const alive = lease && before && !before.released && before.instance !== lease.instance;
    if (alive && !lease.force) checkLease(before, env.clock.now());
    const claimedAt = env.clock.monotonic();
    const fence = await appendFence({ store, channel, env, keys, instance: lease?.instance }, before?.header);
    const ownership = new Ownership(store, channel, env, fence, lease ? claimedAt : Number.POSITIVE_INFINITY);
    if (alive) {
      env.log.warn(
        { epoch: fence.header.epoch, waitMs: EVIDENCE_MS },
        'waiting until the former owner must have noticed',
      );
      await sleep(env.clock, EVIDENCE_MS);
    }
    if (lease) ownership.#watch();
    return ownership;
  }

  get epoch(): number {
    return this.#fence.header.epoch;
  }

  /** Throws what `confirm` would reject with, once a newer fence has been seen. */
  check(): void {
    if (this.#lost) throw this.#lost;
  }

  /** Resolves when a write may be acknowledged; rejects with a StoreError `fenced`. Mostly at once. */
  async confirm(): Promise<void> {
    while (!this.#lost && this.#env.clock.monotonic() - this.#evidenceAt > EVIDENCE_MS) await this.#look();
    this.check();
  }

  /** Somebody posted in the control channel: looks at once, unless that was this process. */
  wake(id: MessageId): void {
    if (id === this.#fence.messageId) return;
    this.#look().catch((error) => this.#env.log.warn({ err: error }, 'could not look for newer fences'));
  }

  /** Says that this process is done, so that the next one need not wait. */
  async release(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    const leased = this.#timers.length > 0;
    this.#timers = [];
    if (!leased || this.#lost) return;
    try {
      await this.#renew('released');
    } catch (error) {
      this.#env.log.warn({ err: error }, 'the lease could not be given back; it runs out by itself');
    }
  }

  #watch(): void {
    this.#repeat(EVIDENCE_EVERY_MS, () => this.#look());
    this.#repeat(LEASE_RENEWED_EVERY_MS, () => this.#renew('renewed'));
  }

  #repeat(ms: number, work: () => Promise<void>): void {
    const { clock, log } = this.#env;
    const at = this.#timers.length;
    const arm = () => {
      this.#timers[at] = clock.timer(ms, run, { unref: true });
    };
    const run = () => {
      work()
        .catch((error) => log.warn({ err: error }, 'could not keep watch over the control channel'))
        .finally(() => {
          if (this.#timers[at] && !this.#lost) arm();
        });
    };
    arm();
  }

  /** Reads what was posted since this process claimed the guild, but for what it saw twice. */
  #look(): Promise<void> {
    this.#looking ??= this.#read().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #read(): Promise<void> {
    const askedAt = this.#env.clock.monotonic();
    let after = this.#seen;
    let newest = this.#newest;
    for (;;) {
      const page = await this.#store.pageAfter(this.#channel, after, PAGE_MESSAGES_MAX, 'commit');
      for (const message of page) {
        const found = classify(message);
        if (found.kind === 'record' && found.parsed.header.epoch > this.epoch)
          return this.#lose(found.parsed.header.epoch);
        if (message.id > newest) newest = message.id;
      }
      if (page.length < PAGE_MESSAGES_MAX) break;
      after = page[0]!.id;
    }
    this.#seen = this.#newest;
    this.#newest = newest;
    if (this.#evidenceAt < askedAt) this.#evidenceAt = askedAt;
  }

  async #renew(state: 'renewed' | 'released'): Promise<void> {
    const { header, instance } = this.#fence;
    const context = { store: this.#store, channel: this.#channel, env: this.#env, keyId: header.keyId, instance };
    const spent = this.#fence.messageId;
    this.#fence = await appendFence(context, header, state);
    this.#spent.push(spent);
    if (this.#spent.length < BULK_DELETE_MAX) return;
    await this.#store.remove(this.#channel, this.#spent.splice(0));
  }

  #lose(epoch: number): void {
    if (this.#lost) return;
    this.#lost = new StoreError('fenced', `another process took over: epoch ${epoch} is above ours, ${this.epoch}`);
    for (const timer of this.#timers) timer.cancel();
    this.#env.log.error({ epoch: this.epoch, newer: epoch }, 'another process took over; this one writes no more');
  }
}

function checkLease(fence: Fence, now: number): void {
  const left = snowflakeTime(fence.messageId) + LEASE_MS - now;
  if (left <= 0) return;
  throw new OwnedError(
    `Another DiscoDB owns this Discord server: it was alive ${Math.max(0, Math.round((LEASE_MS - left) / 1000))} s ago. Stop it, ` +
      `wait ${Math.ceil(left / 1000)} s until its lease runs out if it is dead, or take over with --force.`,
  );
}
