import { assert } from '../base/index.ts';
import { bytesOfKept, type KeptDoc, keptDoc } from '../bson/index.ts';

/** What the cache needs of a document's slot; the links are the cache's own. */
export interface Cached {
  /** Undefined when it is not in memory. */
  kept: KeptDoc | undefined;
  newer: Cached | undefined;
  older: Cached | undefined;
  visited: boolean;
}

/** What a document costs in memory beside its bytes: the string's header and its place in the heap. */
const OVERHEAD_BYTES = 24;

/**
 * The raw bytes of documents, over all collections, bounded in bytes. Eviction is SIEVE (Zhang et al., NSDI 2024): one
 * queue in order of arrival and a hand that spares once what was read since it last came by, so that a long scan does
 * not wash out what is hot.
 *
 * Kept as one-byte strings: a typed array of its own costs 500 bytes beside the document's (measured on Node 20 and 24),
 * a string 24, and a view on a shared buffer would hold on to its neighbours. Making bytes of one is a copy of its length.
 */
export class DocumentCache {
  readonly limit: number;
  #used = 0;
  #newest: Cached | undefined;
  #oldest: Cached | undefined;
  #hand: Cached | undefined;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Bytes held, overhead included. */
  get used(): number {
    return this.#used;
  }

  /** Keeps a copy of `bytes`, making room; what the bytes came in, a message or an attachment, is let go. */
  put(item: Cached, bytes: Uint8Array): void {
    this.drop(item);
    const cost = bytes.length + OVERHEAD_BYTES;
    if (cost > this.limit) return;
    while (this.#used + cost > this.limit) this.#evict();
    item.kept = keptDoc(bytes);
    item.visited = false;
    item.older = this.#newest;
    item.newer = undefined;
    if (this.#newest) this.#newest.newer = item;
    else this.#oldest = item;
    this.#newest = item;
    this.#used += cost;
  }

  /** Keeps the bytes only where that evicts nothing: for loading, where the next is as good as this one. */
  offer(item: Cached, bytes: Uint8Array): void {
    if (this.#used + bytes.length + OVERHEAD_BYTES <= this.limit) this.put(item, bytes);
  }

  get(item: Cached): Uint8Array | undefined {
    if (item.kept === undefined) return undefined;
    item.visited = true;
    return bytesOfKept(item.kept);
  }

  /** As `get`, without making bytes of it. */
  getKept(item: Cached): KeptDoc | undefined {
    // Not written where it is so already: a scan would send all of its slots back to memory.
    if (item.kept !== undefined && !item.visited) item.visited = true;
    return item.kept;
  }

  drop(item: Cached): void {
    if (item.kept === undefined) return;
    if (this.#hand === item) this.#hand = item.newer;
    if (item.newer) item.newer.older = item.older;
    else this.#newest = item.older;
    if (item.older) item.older.newer = item.newer;
    else this.#oldest = item.newer;
    this.#used -= item.kept.length + OVERHEAD_BYTES;
    item.kept = undefined;
    item.newer = undefined;
    item.older = undefined;
  }

  #evict(): void {
    let hand = this.#hand ?? this.#oldest;
    while (hand?.visited) {
      hand.visited = false;
      hand = hand.newer ?? this.#oldest;
    }
    assert(hand, 'a cache over its limit holds something');
    this.#hand = hand.newer;
    this.drop(hand);
  }
}
