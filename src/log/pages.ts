import {
  type ChannelId,
  type Message,
  type MessageId,
  PAGE_MESSAGES_MAX,
  type Priority,
  type Store,
} from '../store/index.ts';

/** A channel's messages from the newest back, page by page. The pages read so far can be walked again without a request. */
export class NewestPages {
  readonly #store: Store;
  readonly #channel: ChannelId;
  readonly #kept: Message[][] = [];

  constructor(store: Store, channel: ChannelId) {
    this.#store = store;
    this.#channel = channel;
  }

  /** The newest page, read once. */
  async newest(priority: Priority): Promise<Message[]> {
    this.#kept[0] ??= await this.#read(undefined, priority);
    return this.#kept[0];
  }

  /** The next older page after those kept, kept too; undefined at the channel's beginning. */
  async keepOlder(priority: Priority): Promise<Message[] | undefined> {
    const last = this.#kept.at(-1);
    if (!last || last.length < PAGE_MESSAGES_MAX) return undefined;
    const page = await this.#read(last.at(-1)!.id, priority);
    this.#kept.push(page);
    return page;
  }

  /** All messages from `id` on, and some before, when the kept pages reach back to it, or to the channel's beginning. */
  from(id: MessageId): Message[] | undefined {
    const last = this.#kept.at(-1);
    return last && (last.length < PAGE_MESSAGES_MAX || last.at(-1)!.id <= id) ? this.#kept.flat() : undefined;
  }

  /**
   * From the newest page to the oldest. From the second page that is asked for, the next is under way while one is
   * worked on: a reader who wants only the first costs no more than that.
   */
  async *walk(priority: Priority, eager: boolean): AsyncGenerator<Message[], void, void> {
    await this.newest(priority);
    let ahead: Promise<Message[]> | undefined;
    let page: Message[] = [];
    for (let at = 0; ; at++) {
      const kept = this.#kept[at];
      if (!kept && page.length < PAGE_MESSAGES_MAX) return;
      page = kept ?? (await (ahead ?? this.#read(page.at(-1)!.id, priority)));
      ahead = undefined;
      const more = page.length === PAGE_MESSAGES_MAX && !this.#kept[at + 1];
      if (more && (eager || at > 0)) {
        ahead = this.#read(page.at(-1)!.id, priority);
        ahead.catch(() => {});
      }
      yield page;
    }
  }

  /**
   * The messages of `ids`, which fall, page by page, in as few requests as hold them. What is not there is left out.
   */
  async *named(ids: readonly MessageId[], priority: Priority): AsyncGenerator<Message[], void, void> {
    for (let at = 0; at < ids.length; ) {
      const limit = at === ids.length - 1 ? 1 : PAGE_MESSAGES_MAX;
      const page = await this.#store.pageBefore(this.#channel, ids[at]! + 1n, limit, priority);
      const last = page.at(-1);
      if (!last) return;
      const wanted = new Set<MessageId>();
      for (; at < ids.length && ids[at]! >= last.id; at++) wanted.add(ids[at]!);
      yield page.filter(({ id }) => wanted.has(id));
    }
  }

  #read(before: MessageId | undefined, priority: Priority): Promise<Message[]> {
    return this.#store.pageBefore(this.#channel, before, PAGE_MESSAGES_MAX, priority);
  }
}

/** From the oldest message on, or from `from` on, page by page, each oldest first; one page ahead from the second on. */
export async function* oldestPages(
  store: Store,
  channel: ChannelId,
  priority: Priority,
  from: MessageId = 0n,
): AsyncGenerator<Message[], void, void> {
  const read = (after: MessageId) => store.pageAfter(channel, after, PAGE_MESSAGES_MAX, priority);
  let next = read(from === 0n ? 0n : from - 1n);
  for (let at = 0; ; at++) {
    const page = await next;
    const more = page.length === PAGE_MESSAGES_MAX;
    if (more && at > 0) {
      next = read(page[0]!.id);
      next.catch(() => {});
    }
    yield page.toReversed();
    if (!more) return;
    if (at === 0) next = read(page[0]!.id);
  }
}
