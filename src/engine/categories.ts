import type { Env, Timer } from '../base/index.ts';
import { type ChannelId, type ChannelInfo, type Store, StoreError } from '../store/index.ts';

/** Discord's bound on the channels of a category (discord-facts, section 3). */
const CHANNELS_PER_CATEGORY = 50;

interface Category {
  readonly db: string;
  /** Channels in it, and those on their way. */
  channels: number;
}

/** A category in which nothing is left stays so long: often the next collection is made in it. */
const IDLE_MS = 60_000;

/** The categories of databases. A Discord server has room for 50, so those in which nothing is left go after a while. */
export class Categories {
  readonly #env: Env;
  readonly #store: Store;
  readonly #nameOf: (db: string) => string;
  readonly #categories = new Map<ChannelId, Category>();
  /** By database: a category under way, which everybody who needs one waits for. */
  readonly #making = new Map<string, Promise<void>>();
  #idle: Timer | undefined;

  constructor(env: Env, store: Store, nameOf: (db: string) => string) {
    this.#env = env;
    this.#store = store;
    this.#nameOf = nameOf;
  }

  /** Counts a channel that is there. */
  add(id: ChannelId, db: string): void {
    const category = this.#categories.get(id);
    if (category) category.channels++;
    else this.#categories.set(id, { db, channels: 1 });
  }

  /** A category of the database with a place for one more channel, which is taken until `leave`. */
  async enter(db: string): Promise<ChannelId> {
    for (;;) {
      for (const [id, category] of this.#categories) {
        if (category.db !== db || category.channels >= CHANNELS_PER_CATEGORY) continue;
        category.channels++;
        return id;
      }
      await (this.#making.get(db) ?? this.#make(db));
    }
  }

  /** Gives a place back. */
  leave(id: ChannelId): void {
    const category = this.#categories.get(id);
    if (!category || --category.channels > 0) return;
    this.#idle?.cancel();
    this.#idle = this.#env.clock.timer(IDLE_MS, () => void this.removeIdle(), { unref: true });
  }

  /** Deletes the categories in which nothing is left. */
  async removeIdle(): Promise<void> {
    this.#idle?.cancel();
    for (const [id, { channels }] of this.#categories) {
      if (channels > 0) continue;
      // First, so that nobody enters what is being deleted.
      this.#categories.delete(id);
      try {
        await this.#store.deleteChannel(id);
      } catch (error) {
        this.#env.log.warn({ err: error, category: id }, 'a category stays, though nothing is in it');
      }
    }
  }

  #make(db: string): Promise<void> {
    const making = this.#create(db)
      .then(({ id }) => {
        this.#categories.set(id, { db, channels: 0 });
      })
      .finally(() => this.#making.delete(db));
    this.#making.set(db, making);
    return making;
  }

  /** Where the server has no room, what is idle makes some. */
  async #create(db: string): Promise<ChannelInfo> {
    const wanted = { name: this.#nameOf(db), kind: 'category' } as const;
    try {
      return await this.#store.createChannel(wanted);
    } catch (error) {
      const idle = [...this.#categories.values()].some(({ channels }) => channels === 0);
      if (!(error instanceof StoreError && error.code === 'full' && idle)) throw error;
      await this.removeIdle();
      return this.#store.createChannel(wanted);
    }
  }
}
