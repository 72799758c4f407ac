import type { CacheDisk } from './cache-disk.ts';
import { CacheDamage, CacheFile, newPlace, type Place } from './cache-file.ts';
import { decodeFrame, decodeMessage, encodeMessage, encodeProof, encodeRemoved } from './cache-frame.ts';
import { type Message, type MessageId, StoreError } from './port.ts';
import { type Span, Spans } from './spans.ts';

/** Ids this much below the newest that Discord has shown: whatever got one of them is shown by now. Snowflakes' milliseconds. */
const SETTLED = 10_000n << 22n;
/** A file is rewritten when it is this large, and twice as large as what it holds. */
const REWRITE_BYTES_MIN = 1 << 20;
const NOTHING: Span = { from: 1n, to: 0n };

/*
 * The rules. The log lets go of a deletion only when it has seen that everything the deletion keeps away is gone, and of
 * a superseded record only when what replaced it is durable. A cache that showed a message again that had been seen to
 * be gone would bring documents back; one that left out a message that stands would let the log drop what guards
 * against it. So what a cache shows after any crash must be all that stands, and nothing that was ever seen to be gone;
 * between the two, it may show what was asked to be removed, as Discord itself may.
 *
 * 1. Only pages prove. A message is served only where a page of Discord's once said what stands around it, and
 *    `proof` is written after the messages it speaks of: the file is read up to where it was cut off, so a proof that is
 *    read has them before it. Without it: what others posted between two of our messages would be left out.
 * 2. Nothing recent is proven (`SETTLED`). Without it: a message that Discord shows late would be left out for good.
 * 3. A removal is not believed, it only makes doubt: pages around are Discord's to answer until one came without the
 *    message. Without it: a message that Discord said it removed and did not would be left out.
 * 4. What a page lacks is forgotten durably before the page is handed on (`learn`), and before a lone message's absence
 *    is (`absent`). Without it: after a crash, a document would come back whose deletion was removed in good faith.
 * 5. A page that was asked for before a message was seen to be gone does not bring it back (`#gone`). Without it: the
 *    same, by a slow answer.
 * 6. Of a file that is damaged, nothing counts, and one that cannot be written is removed, or nothing is answered.
 *    Without it: what was forgotten would be remembered.
 * 7. A cache is one process's, or its successor's in an unbroken line of epochs (`CachedStore.adopt`). Without it: what
 *    another process saw to be gone would be shown.
 */

/** The highest id that Discord has shown in any channel: its time, as far as it is known. */
export class Horizon {
  newest: MessageId = 0n;

  note(id: MessageId): void {
    if (id > this.newest) this.newest = id;
  }
}

/** What was known when a request left: a page proves nothing of what came after. */
export interface Look {
  readonly newest: MessageId;
}

/** The messages of one channel on disk, and what of the channel they are known to make up. */
export class ChannelCache {
  readonly #disk: CacheDisk;
  readonly #name: string;
  readonly #horizon: Horizon;
  readonly #places = new Map<MessageId, Place>();
  /** Of the messages, lowest first. */
  #ids: MessageId[] = [];
  #spans = new Spans();
  /** Their fate is not known: in this process something was done to them, or heard of. */
  readonly #doubted = new Set<MessageId>();
  /** Discord said that it removed these. */
  readonly #removed = new Set<MessageId>();
  /** Seen to be gone while answers are under way that may still show them. */
  readonly #gone = new Set<MessageId>();
  #looks = 0;
  /** Until what was dropped last is durable, and with it all that was dropped before: nobody is told before that. */
  #forgetting: Promise<void> | undefined;
  /** Bytes of the frames of messages. */
  #live = 0;
  #file: CacheFile | undefined;

  private constructor(disk: CacheDisk, name: string, horizon: Horizon) {
    this.#disk = disk;
    this.#name = name;
    this.#horizon = horizon;
  }

  /** Reads what is there, if it can be read. Rejects with a `StoreError` where that can neither be read nor removed. */
  static async open(disk: CacheDisk, name: string, horizon: Horizon): Promise<ChannelCache> {
    const cache = new ChannelCache(disk, name, horizon);
    try {
      await cache.#load();
    } catch {
      await cache.#giveUp();
    }
    return cache;
  }

  get bytes(): number {
    return this.#file?.bytes ?? 0;
  }

  /** Where what is proven ends. */
  get top(): MessageId | undefined {
    return this.#spans.top;
  }

  /** A page below `before`, where it is known to be what Discord would show. */
  async before(before: MessageId, limit: number): Promise<Message[] | undefined> {
    const span = this.#file && this.#spans.at(before - 1n);
    if (!span) return undefined;
    const end = this.#indexOf(before);
    const start = Math.max(end - limit, this.#indexOf(span.from));
    const full = end - start === limit;
    if (!full && span.from > 0n) return undefined;
    return this.#page(start, end, { from: full ? this.#ids[start]! : span.from, to: before - 1n });
  }

  /** A full page above `after`: of a shorter one, only Discord knows that nothing follows. */
  async after(after: MessageId, limit: number): Promise<Message[] | undefined> {
    const span = this.#file && this.#spans.at(after + 1n);
    if (!span) return undefined;
    const start = this.#indexOf(after + 1n);
    const last = this.#ids[start + limit - 1];
    if (last === undefined || last > span.to) return undefined;
    return this.#page(start, start + limit, { from: after + 1n, to: last });
  }

  async get(id: MessageId): Promise<Message | undefined> {
    const place = this.#places.get(id);
    if (!place || this.#doubted.has(id) || !this.#spans.at(id)) return undefined;
    return (await this.#read([place]))?.[0];
  }

  has(id: MessageId): boolean {
    return this.#places.has(id);
  }

  /** Stands, as far as is known. */
  stands(id: MessageId): boolean {
    return this.#places.has(id) && !this.#doubted.has(id);
  }

  put(message: Message): void {
    const { id } = message;
    this.#horizon.note(id);
    if (!this.#file || this.#file.failed || this.#places.has(id) || this.#gone.has(id) || isBlank(message)) return;
    this.#add(id, this.#file.append(encodeMessage(message)));
  }

  /** Takes the answer to an append, unless it is so late that the message has been seen to be gone. */
  posted(message: Message): void {
    if (!this.#spans.at(message.id)) this.put(message);
  }

  /** Called when a request for messages leaves; `done` when its answer has been learnt from, or there is none. */
  look(): Look {
    this.#looks++;
    return { newest: this.#horizon.newest };
  }

  done(): void {
    if (--this.#looks === 0) this.#gone.clear();
  }

  /** Takes a page that says all that stands in `span`. Resolves when the page may be handed on; returns what is gone. */
  async learn({ newest }: Look, page: readonly Message[], { from, to }: Span): Promise<MessageId[]> {
    for (const message of page) this.put(message);
    for (const { id } of page) this.#standing(id);
    // What is blank may be hidden for now.
    if (page.some(isBlank)) return [];
    const top = page[0] && page[0].id > newest ? page[0].id : newest;
    const standing = new Set(page.map(({ id }) => id));
    const known = this.#ids.slice(this.#indexOf(from), this.#indexOf(min(to, top) + 1n));
    const gone = known.filter((id) => !standing.has(id));
    const span = { from, to: min(to, top - SETTLED) };
    if (gone.length > 0 || (span.from <= span.to && !this.#spans.covers(span))) this.#prove(span, gone);
    await this.#forgetting;
    return gone;
  }

  /** Discord has no such message. Resolves when that may be handed on. */
  async absent(id: MessageId): Promise<void> {
    if (this.#places.has(id)) this.#prove(NOTHING, [id]);
    await this.#forgetting;
  }

  /** From now on Discord is to say whether these stand. */
  doubt(ids: readonly MessageId[]): void {
    for (const id of ids) if (this.#places.has(id)) this.#doubted.add(id);
  }

  /** Discord says that it removed these. Losing this costs a repeated request. */
  removed(ids: readonly MessageId[]): void {
    const known = ids.filter((id) => this.#places.has(id));
    if (known.length === 0) return;
    for (const id of known) this.#removed.add(id);
    this.#file?.append(encodeRemoved(known));
  }

  /** Discord said so and has not shown it since. */
  isRemoved(id: MessageId): boolean {
    return this.#removed.has(id);
  }

  /** Makes an end of it, on disk too. */
  async forget(): Promise<void> {
    const file = this.#file;
    this.#clear();
    this.#file = undefined;
    try {
      await file?.close();
    } finally {
      await this.#disk.remove([this.#name]);
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #load(): Promise<void> {
    this.#file = await CacheFile.open(this.#disk, this.#name, (body, place) => {
      const said = decodeFrame(body);
      if (!said) throw new CacheDamage(`${this.#name} holds a frame that means nothing`);
      if (said.kind === 'message') this.#add(said.id, place);
      else if (said.kind === 'removed') for (const id of said.ids) this.#removed.add(id);
      else {
        this.#drop(said.gone);
        this.#spans.add(said.span);
      }
    });
    this.#horizon.note(this.#ids.at(-1) ?? 0n);
    const { top } = this.#spans;
    if (top !== undefined) this.#horizon.note(top + SETTLED);
  }

  #prove(span: Span, gone: readonly MessageId[]): void {
    const file = this.#file;
    if (!file) return;
    this.#drop(gone);
    if (this.#looks > 1) for (const id of gone) this.#gone.add(id);
    this.#spans.add(span);
    file.append(encodeProof(span.from <= span.to ? span : NOTHING, gone));
    if (gone.length > 0) this.#forgetting = this.#sync(file);
    this.#rewriteWhenDue();
  }

  async #sync(file: CacheFile): Promise<void> {
    try {
      await file.sync();
    } catch {
      await this.#giveUp();
    }
  }

  /** The disk fails: what it holds now must not be read again. */
  async #giveUp(): Promise<void> {
    try {
      await this.forget();
    } catch {
      const text = `the local cache can neither be written nor removed (${this.#name}); remove it by hand, or turn it off`;
      throw new StoreError('closed', text);
    }
  }

  async #page(start: number, end: number, span: Span): Promise<Message[] | undefined> {
    for (const id of this.#doubted) if (span.from <= id && id <= span.to) return undefined;
    const ids = this.#ids.slice(start, end).reverse();
    const places = ids.map((id) => this.#places.get(id)!);
    await this.#forgetting;
    return this.#read(places);
  }

  /** Undefined when the file is not what it was. */
  async #read(places: readonly Place[]): Promise<Message[] | undefined> {
    try {
      return (await this.#file?.read(places))?.map(decodeMessage);
    } catch {
      await this.#giveUp();
      return undefined;
    }
  }

  #rewriteWhenDue(): void {
    const { bytes } = this;
    if (bytes < REWRITE_BYTES_MIN || bytes < 2 * this.#live) return;
    this.#file?.rewrite(() => [
      ...this.#places.values(),
      ...(this.#removed.size > 0 ? [newPlace(encodeRemoved([...this.#removed]))] : []),
      ...[...this.#spans].map((span) => newPlace(encodeProof(span, []))),
    ]);
  }

  #standing(id: MessageId): void {
    this.#doubted.delete(id);
    this.#removed.delete(id);
  }

  #add(id: MessageId, place: Place): void {
    if (this.#places.has(id)) return;
    this.#places.set(id, place);
    this.#live += place.length;
    const last = this.#ids.at(-1);
    if (last === undefined || last < id) this.#ids.push(id);
    else this.#ids.splice(this.#indexOf(id), 0, id);
  }

  #drop(ids: readonly MessageId[]): void {
    if (ids.length === 0) return;
    for (const id of ids) {
      this.#live -= this.#places.get(id)?.length ?? 0;
      this.#places.delete(id);
      this.#doubted.delete(id);
      this.#removed.delete(id);
    }
    this.#ids = this.#ids.filter((id) => this.#places.has(id));
  }

  #clear(): void {
    this.#places.clear();
    this.#ids = [];
    this.#spans = new Spans();
    this.#doubted.clear();
    this.#removed.clear();
    this.#live = 0;
  }

  /** Where `id` stands in the order, or would. */
  #indexOf(id: MessageId): number {
    let low = 0;
    let high = this.#ids.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ids[middle]! < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Hidden from this bot, or of a kind that holds nothing: not to be told apart. */
function isBlank({ content, attachments }: Message): boolean {
  return content === '' && attachments.length === 0;
}

function min(a: MessageId, b: MessageId): MessageId {
  return a < b ? a : b;
}
