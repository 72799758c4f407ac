import { type Env, sleep, type Timer } from '../base/index.ts';
import { encode, getField, toExtendedJson } from '../bson/index.ts';
import type { RecordRef } from '../log/index.ts';
import { type ChannelId, type MessageId, PAGE_MESSAGES_MAX, type Store, type StoreEvent } from '../store/index.ts';
import { type Collection, nsText } from './collection.ts';
import type { CollectionHandle, Loaded } from './handle.ts';
import type { Namespaces } from './namespaces.ts';
import type { Slot } from './slot.ts';

/** How long deletions gather before they are looked into: people delete many at once, and each is told alone. */
const GATHER_MS = 100;
/** A deletion that the channel does not show yet is looked for again after this long. */
const LAG_MS = 3000;
const LOOKS_MAX = 3;
/** Of more documents a line of the log gives the number alone. */
const IDS_TO_NAME = 20;

/** One of DiscoDB's own channels. */
export interface SystemChannel {
  readonly name: string;
  /** Writes again what stood in messages that somebody deleted, and says how many documents that were. */
  readonly restore: ((ids: ReadonlySet<MessageId>) => Promise<number>) | undefined;
}

export interface ExternalChangesContext {
  readonly env: Env;
  readonly store: Store;
  readonly namespaces: Namespaces;
  readonly system: ReadonlyMap<ChannelId, SystemChannel>;
}

/**
 * What others do in the channels of open collections. A person who deletes the message of a document deletes the document:
 * memory follows, and a tombstone is written, so that sequences and the digest of live records stay true. An event only
 * wakes: what it says is believed when the channel shows it. Of a collection that is not in memory nothing is done; whoever
 * opens it reads what is there.
 */
export class ExternalChanges {
  readonly #context: ExternalChangesContext;
  readonly #unwatch: () => void;
  readonly #deleted = new Map<ChannelId, Set<MessageId>>();
  readonly #strangers = new Set<ChannelId>();
  readonly #stopping = new AbortController();
  #gathering: Timer | undefined;
  readonly #working = new Set<Promise<void>>();

  constructor(context: ExternalChangesContext) {
    this.#context = context;
    this.#unwatch = context.store.watch((event) => this.#heed(event));
  }

  /** Looks into messages that were found to be gone, as if Discord had told. */
  suspect(channel: ChannelId, ids: readonly MessageId[]): void {
    this.#gather(channel, ids);
  }

  /** Ends after what is under way. */
  async stop(): Promise<void> {
    this.#unwatch();
    this.#gathering?.cancel();
    this.#stopping.abort(new Error('the engine closes'));
    await Promise.all(this.#working);
  }

  #heed(event: StoreEvent): void {
    const { log } = this.#context.env;
    switch (event.kind) {
      case 'created':
        if (!event.own) this.#meetStranger(event.channel, event.authorId);
        break;
      case 'deleted':
        this.#gather(event.channel, event.ids);
        break;
      case 'channel-deleted':
        if (this.#nameOf(event.channel) === undefined) break;
        log.error(
          { ns: this.#nameOf(event.channel), channel: event.channel },
          'somebody deleted the channel of a collection',
        );
        break;
      case 'connected':
        log.info('Discord tells what others do from now on');
        break;
      case 'gap':
        log.warn('Discord did not tell all that others did: what people deleted meanwhile is found when it is read');
        break;
    }
  }

  #meetStranger(channel: ChannelId, authorId: string): void {
    const name = this.#nameOf(channel);
    if (name === undefined || this.#strangers.has(channel)) return;
    this.#strangers.add(channel);
    const text = 'somebody writes in the channel of a collection; what is no record is passed over';
    this.#context.env.log.warn({ ns: name, channel, authorId }, text);
  }

  #gather(channel: ChannelId, ids: readonly MessageId[]): void {
    if (this.#nameOf(channel) === undefined) return;
    const gathered = this.#deleted.get(channel) ?? new Set();
    for (const id of ids) gathered.add(id);
    this.#deleted.set(channel, gathered);
    this.#gathering ??= this.#context.env.clock.timer(GATHER_MS, () => this.#process(), { unref: true });
  }

  #process(): void {
    this.#gathering = undefined;
    const all = [...this.#deleted];
    this.#deleted.clear();
    for (const [channel, ids] of all) {
      const working: Promise<void> = this.#processChannel(channel, ids).finally(() => this.#working.delete(working));
      this.#working.add(working);
    }
  }

  async #processChannel(channel: ChannelId, ids: ReadonlySet<MessageId>): Promise<void> {
    const { env, namespaces, system } = this.#context;
    try {
      const own = system.get(channel);
      if (own) await this.#mend(own, channel, ids);
      else await this.#follow(namespaces.inChannel(channel), ids);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      const fields = { err: error, ns: this.#nameOf(channel), channel };
      env.log.error(fields, 'messages that somebody deleted could not be followed up; the next start will');
    }
  }

  /** What these hold is no document of a client's, and nobody's to delete. */
  async #mend({ name, restore }: SystemChannel, channel: ChannelId, ids: ReadonlySet<MessageId>): Promise<void> {
    const restored = await restore?.(ids);
    // Nothing that counts stood there, or by now it stands elsewhere: the scrubber only suspects.
    if (restored === 0) return;
    const fields = { channel, deleted: ids.size, restored };
    this.#context.env.log.error(fields, `somebody deleted messages of DiscoDB's own channel ${name}`);
  }

  async #follow(handle: CollectionHandle | undefined, ids: ReadonlySet<MessageId>): Promise<void> {
    const loaded = await handle?.opening;
    if (!handle || !loaded) return;
    await this.#takeOut(handle, loaded, ids);
    if (loaded.collection.unsettled.size === 0) return;
    // The news of a message's end may come before the answer to its append.
    await loaded.collection.log.flush();
    await this.#takeOut(handle, loaded, ids);
  }

  /** Takes the documents out whose newest versions stood in these messages. */
  async #takeOut(handle: CollectionHandle, loaded: Loaded, ids: ReadonlySet<MessageId>): Promise<void> {
    const { collection } = loaded;
    const held = [...liveIn(collection, ids).keys()].flatMap(({ messageId }) => messageId ?? []);
    const gone = await this.#confirm(handle, held);
    if (gone.size === 0) return;
    await collection.room();
    // Read anew meanwhile, it holds what the channel shows.
    if (handle.loaded !== loaded) return;
    const lost = liveIn(collection, gone);
    for (const [record, slots] of lost) this.#report(handle, collection, record, slots);
    for (const slot of [...lost.values()].flat()) collection.vanish(slot);
    await collection.commit([]);
  }

  /** Those of `ids` that the channel does not show any more. */
  async #confirm({ channel, info }: CollectionHandle, ids: readonly MessageId[]): Promise<Set<MessageId>> {
    const { env, store } = this.#context;
    const gone = new Set<MessageId>();
    let open = [...ids].sort((a, b) => (a < b ? -1 : 1));
    for (let looks = 1; open.length > 0; looks++) {
      const shown: MessageId[] = [];
      while (open.length > 0) {
        const page = await store.pageAfter(channel, open[0]! - 1n, PAGE_MESSAGES_MAX, 'read');
        const last = page.length < PAGE_MESSAGES_MAX ? undefined : page[0]!.id;
        const there = new Set(page.map(({ id }) => id));
        const covered = open.filter((id) => last === undefined || id <= last);
        for (const id of covered) there.has(id) ? shown.push(id) : gone.add(id);
        open = open.slice(covered.length);
      }
      if (shown.length === 0) break;
      if (looks === LOOKS_MAX) {
        const fields = { ns: info.ns, channel, messageIds: shown.map(String) };
        env.log.warn(fields, 'messages were said to be deleted and still stand in the channel; they are left alone');
        break;
      }
      await sleep(env.clock, LAG_MS, this.#stopping.signal);
      open = shown;
    }
    return gone;
  }

  #report(
    { info, channel }: CollectionHandle,
    collection: Collection,
    record: RecordRef,
    slots: readonly Slot[],
  ): void {
    const { log } = this.#context.env;
    const ids = slots.slice(0, IDS_TO_NAME).map((slot) => idText(collection, slot));
    const fields = { ns: info.ns, channel, messageId: String(record.messageId), count: slots.length, ids };
    if (record.entries === 1)
      log.warn(fields, `somebody deleted the message of a document of ${nsText(info.ns)}; so it is deleted`);
    else
      log.error(fields, `somebody deleted a pack of ${nsText(info.ns)}: ${slots.length} documents are deleted with it`);
  }

  #nameOf(channel: ChannelId): string | undefined {
    const { namespaces, system } = this.#context;
    const handle = namespaces.inChannel(channel);
    return handle ? nsText(handle.info.ns) : system.get(channel)?.name;
  }
}

/** The documents whose newest version stands in one of these messages, by record. */
function liveIn(collection: Collection, ids: ReadonlySet<MessageId>): Map<RecordRef, Slot[]> {
  const found = new Map<RecordRef, Slot[]>();
  for (const slot of collection.scan()) {
    const { record } = slot;
    if (record.messageId === undefined || !ids.has(record.messageId)) continue;
    const slots = found.get(record);
    if (slots) slots.push(slot);
    else found.set(record, [slot]);
  }
  return found;
}

/** The `_id` as far as it is still in memory. */
function idText(collection: Collection, slot: Slot): string {
  const bytes = collection.bytesOf(slot);
  return bytes ? toExtendedJson(encode(new Map([['_id', getField(bytes, '_id')]]))) : `record id ${slot.recordId}`;
}
