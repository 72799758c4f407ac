import { assert } from '../../../base/index.ts';
import type { Doc, Value } from '../../../bson/index.ts';
import { located } from '../../error.ts';
import type { Room } from '../memory.ts';
import { Pages, type Part } from '../pages.ts';
import type { SortWork } from '../sorter.ts';
import type { Keyed } from '../spool.ts';

/** Documents with the keys of their partitions, as they come: partition after partition. */
export class Feed {
  readonly #source: AsyncIterator<readonly Keyed[]>;
  #batch: readonly Keyed[] = [];
  #at = 0;

  constructor(source: AsyncIterable<readonly Keyed[]>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next one, if it is here already. */
  get next(): Keyed | undefined {
    return this.#batch[this.#at];
  }

  take(): void {
    this.#at++;
  }

  /** Whether there is a next one, which is here then. */
  async fetch(): Promise<boolean> {
    while (!this.next) {
      const { value, done } = await this.#source.next();
      if (done) return false;
      this.#batch = value;
      this.#at = 0;
    }
    return true;
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

/** What documents count for in memory that are written and read together: each function holds as much at a time. */
const PAGE_BYTES = 1024 * 1024;
/** Nor more than this part of the limit. */
const PAGE_SHARE = 1 / 16;

/**
 * The documents of one partition, by their places in it. They are taken from the feed when somebody asks for them, held
 * while anybody may ask again, and put aside where they are too much (MongoDB's `SpillableCache`).
 */
export class Rows {
  readonly #feed: Feed;
  readonly #isMember: (key: Value) => boolean;
  readonly #room: Room;
  /** What a page counts for, about. */
  readonly #page: number;
  readonly #work: SortWork;
  /** What is in memory, from `#from` on; what is in front of `#head` is let go. */
  #docs: (Doc | undefined)[] = [];
  #sizes: number[] = [];
  #from = 0;
  #head = 0;
  #ended = false;
  #pages: Pages | undefined;
  /** What those in memory count for. */
  bytes = 0;

  /** The partition begins with what the feed has next, and ends before a key that `isMember` does not take. */
  constructor(feed: Feed, isMember: (key: Value) => boolean, room: Room, work: SortWork) {
    this.#feed = feed;
    this.#isMember = isMember;
    this.#room = room;
    this.#page = Math.min(PAGE_BYTES, PAGE_SHARE * room.limit);
    this.#work = work;
  }

  /** The document at a place not before those let go, if it is in memory or comes next. */
  here(place: number): Doc | undefined {
    const held = place - this.#from;
    if (held < this.#docs.length) return this.#docs[held];
    const next = this.#feed.next;
    if (this.#ended || !next) return undefined;
    if (!this.#isMember(next.key)) {
      this.#ended = true;
      return undefined;
    }
    this.#feed.take();
    const size = this.#room.size(next.doc);
    this.#docs.push(next.doc);
    this.#sizes.push(size);
    this.bytes += size;
    return next.doc;
  }

  /** Documents from the place `from` on, among them that of a place that `here` does not have; undefined at the end. */
  async load(place: number): Promise<Part | undefined> {
    const page = await this.#pages?.read(place);
    if (page) return page;
    if (this.#ended || !(await this.#feed.fetch())) return undefined;
    const doc = this.here(place);
    return doc && { from: place, docs: [doc] };
  }

  /** Nobody asks for what is before that place any more. */
  release(place: number): void {
    for (; this.#from + this.#head < place && this.#head < this.#docs.length; this.#head++) {
      this.bytes -= this.#sizes[this.#head]!;
      this.#docs[this.#head] = undefined;
    }
    if (2 * this.#head < this.#docs.length) return;
    this.#docs.splice(0, this.#head);
    this.#sizes.splice(0, this.#head);
    this.#from += this.#head;
    this.#head = 0;
  }

  /**
   * Whether some are to be put aside, where `held` is what others hold; but not a few at a time. Throws where those in
   * memory are too much and the disk is forbidden.
   */
  isFull(held: number): boolean {
    const { limit, beyond } = this.#room;
    if (typeof beyond !== 'function')
      return beyond !== undefined && this.bytes >= this.#page && this.bytes + held > limit;
    if (this.bytes > limit) throw beyond();
    return false;
  }

  /** Puts all aside that are in memory. */
  async spill(): Promise<void> {
    const { beyond } = this.#room;
    assert(beyond && typeof beyond !== 'function', 'there is a disk');
    this.#pages ??= new Pages(beyond, this.#page);
    const before = this.#pages.bytes;
    const docs = this.#docs.slice(this.#head) as Doc[];
    await this.#pages.write(this.#from + this.#head, docs, this.#sizes.slice(this.#head));
    this.#from += this.#docs.length;
    this.#docs = [];
    this.#sizes = [];
    this.#head = 0;
    this.bytes = 0;
    this.#work.spills++;
    this.#work.stored += this.#pages.bytes - before;
  }

  async close(): Promise<void> {
    await this.#pages?.close();
  }
}

/** What a stage that sets window fields says where it may not use the disk. */
export const windowTooLarge = () => located(5643011, "Exceeded max memory. Set 'allowDiskUse: true' to spill to disk");

/** Goes through the documents of a partition. */
export class Reader {
  readonly #rows: Rows;
  #page: readonly Doc[] = [];
  #from = 0;
  /** The place of the next document. */
  place = 0;

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  /** The next document, if nobody needs to wait for it. */
  next(): Doc | undefined {
    const doc = this.#page[this.place - this.#from] ?? this.#rows.here(this.place);
    if (doc) this.place++;
    return doc;
  }

  /** The next document, where `next` has none; undefined at the end. */
  async load(): Promise<Doc | undefined> {
    const loaded = await this.#rows.load(this.place);
    if (!loaded) return undefined;
    this.#page = loaded.docs;
    this.#from = loaded.from;
    return this.next();
  }
}
