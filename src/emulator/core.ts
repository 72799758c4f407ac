import type { Env } from '../base/index.ts';
import type { Change } from './change.ts';
import type { Disk } from './disk.ts';
import type { Journal } from './journal.ts';
import type { Limiter } from './limiter.ts';
import { Serializer } from './serialize.ts';
import { SnowflakeSource, snowflakeAt } from './snowflake.ts';
import type { CoreEvent, EventSource, EventType, JsonObject } from './types.ts';
import { World } from './world.ts';

/** What every route stands on: the world, and the one way to change it. */
export class Core implements EventSource {
  readonly env: Env;
  readonly disk: Disk;
  readonly world: World;
  readonly ids: SnowflakeSource;
  readonly limiter: Limiter;
  readonly serialize: Serializer;
  readonly nonceWindowMs: number;
  readonly #journal: Journal;
  readonly #listeners = new Set<(event: CoreEvent) => void>();

  constructor(parts: {
    env: Env;
    disk: Disk;
    journal: Journal;
    limiter: Limiter;
    publicUrl: string;
    nonceWindowMs: number;
  }) {
    this.env = parts.env;
    this.disk = parts.disk;
    this.limiter = parts.limiter;
    this.nonceWindowMs = parts.nonceWindowMs;
    this.#journal = parts.journal;
    this.world = new World();
    this.ids = new SnowflakeSource(parts.env.clock);
    this.serialize = new Serializer(this.world, parts.env.clock, parts.publicUrl);
  }

  get now(): number {
    return this.env.clock.now();
  }

  subscribe(listener: (event: CoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Applies changes at once and writes them to the journal. Once they are durable, the events go out and the blobs that
   * nothing names any more are deleted. `describe` runs right after the changes, when the world shows their effect.
   */
  commit(
    changes: readonly Change[],
    describe: () => readonly CoreEvent[] = () => [],
    orphans: readonly string[] = [],
  ): void {
    for (const change of changes) this.world.apply(change);
    this.forgetNonces();
    const events = describe();
    this.#journal.append(changes, () => {
      for (const event of events) this.publish(event);
      for (const name of orphans) void this.dropBlob(name);
    });
  }

  /** Nonces count for a while only. */
  forgetNonces(): void {
    this.world.forgetNonces(snowflakeAt(this.now - this.nonceWindowMs));
  }

  /** Resolves when everything that a reply could tell of is on disk. */
  durable(): Promise<void> {
    return this.#journal.durable();
  }

  publish(event: CoreEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.env.log.error({ err: error, event: event.type }, 'a listener to the events of the emulator failed');
      }
    }
  }

  /** A blob that stays behind is found at the next start, so a failure is only told. */
  async dropBlob(name: string): Promise<void> {
    try {
      await this.disk.deleteBlob(name);
    } catch (error) {
      this.env.log.warn({ err: error, name }, 'a blob of the emulator could not be deleted');
    }
  }

  /** The bots that may see a channel. */
  viewers(channelId: string): string[] {
    return [...this.world.bots.keys()].filter((id) => this.world.permissions(id, channelId) !== 0n);
  }

  /** An event in a channel that is there, for those who see it. */
  channelEvent(type: EventType, guildId: string, channelId: string, data: JsonObject): CoreEvent {
    return { type, guildId, channelId, viewers: this.viewers(channelId), data };
  }
}
