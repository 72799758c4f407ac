import type { ChannelId, MessageId, StoreEvent } from '../store/index.ts';

/** Removals remembered in each of two generations: their events come within minutes, when a session is resumed. */
const GENERATION = 50_000;

/** What this store itself has asked Discord to delete, so that the events of it are not taken for somebody else's doing. */
export class OwnActions {
  #young = new Set<MessageId | ChannelId>();
  #old = new Set<MessageId | ChannelId>();

  /** To be called before the request leaves: its event may come before its answer. */
  removing(ids: readonly (MessageId | ChannelId)[]): void {
    for (const id of ids) {
      if (this.#young.size >= GENERATION) {
        this.#old = this.#young;
        this.#young = new Set();
      }
      this.#young.add(id);
    }
  }

  /** The event without what was done here; undefined when nothing is left of it. */
  strip(event: StoreEvent): StoreEvent | undefined {
    if (event.kind === 'channel-deleted') return this.#isOwn(event.channel) ? undefined : event;
    if (event.kind !== 'deleted') return event;
    const ids = event.ids.filter((id) => !this.#isOwn(id));
    return ids.length > 0 ? { ...event, ids } : undefined;
  }

  #isOwn(id: MessageId | ChannelId): boolean {
    return this.#young.has(id) || this.#old.has(id);
  }
}
