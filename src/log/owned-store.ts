import type {
  Attachment,
  ChannelId,
  ChannelInfo,
  Draft,
  Message,
  MessageId,
  NewChannel,
  Priority,
  Store,
  StoreListener,
} from '../store/index.ts';
import type { Ownership } from './ownership.ts';

/**
 * The store of a process that may lose the guild to another. A message counts as appended only when nobody had taken
 * over by then; once somebody has, every request is refused, so that nothing of the new owner's is deleted or misread.
 */
export class OwnedStore implements Store {
  readonly #store: Store;
  readonly #ownership: Ownership;

  constructor(store: Store, ownership: Ownership) {
    this.#store = store;
    this.#ownership = ownership;
  }

  async append(channel: ChannelId, seal: () => Draft, priority?: Priority): Promise<Message> {
    const message = await this.#owned().append(channel, seal, priority);
    await this.#ownership.confirm();
    return message;
  }

  /** Deletes only on fresh evidence: what a new owner counts on must not be cleaned away by a former one. */
  async remove(channel: ChannelId, ids: readonly MessageId[]): Promise<void> {
    await this.#ownership.confirm();
    await this.#owned().remove(channel, ids);
  }

  async deleteChannel(id: ChannelId): Promise<void> {
    await this.#ownership.confirm();
    await this.#owned().deleteChannel(id);
  }

  async channels(): Promise<ChannelInfo[]> {
    return this.#owned().channels();
  }

  async createChannel(channel: NewChannel): Promise<ChannelInfo> {
    return this.#owned().createChannel(channel);
  }

  async pageBefore(...args: Parameters<Store['pageBefore']>): Promise<Message[]> {
    return this.#owned().pageBefore(...args);
  }

  async pageAfter(...args: Parameters<Store['pageAfter']>): Promise<Message[]> {
    return this.#owned().pageAfter(...args);
  }

  async read(channel: ChannelId, id: MessageId, priority: Priority): Promise<Message | undefined> {
    return this.#owned().read(channel, id, priority);
  }

  async download(
    channel: ChannelId,
    message: Message,
    attachment: Attachment,
    priority: Priority,
  ): Promise<Uint8Array | undefined> {
    return this.#owned().download(channel, message, attachment, priority);
  }

  watch(listener: StoreListener): () => void {
    return this.#store.watch(listener);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #owned(): Store {
    this.#ownership.check();
    return this.#store;
  }
}
