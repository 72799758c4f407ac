import { compareIds } from './snowflake.ts';
import type { Message, PageQuery } from './types.ts';

/** Messages a chunk holds before it is split: a removal moves at most this many pointers. */
const CHUNK_LIMIT = 512;

/**
 * The messages of one channel in order of their ids: sorted chunks in a sorted list. Finding, adding and removing one
 * costs a binary search; a page costs that and its own length.
 */
export class MessageIndex {
  readonly #chunks: Message[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: string): Message | undefined {
    const chunk = this.#chunks[this.#chunkOf(id)];
    const found = chunk?.[lowerBound(chunk, id)];
    return found?.id === id ? found : undefined;
  }

  /** Adds a message, or replaces the one of the same id. */
  put(message: Message): void {
    const newest = this.#chunks.at(-1);
    if (!newest || compareIds(newest.at(-1)!.id, message.id) < 0) {
      this.#append(newest, message);
      return;
    }
    const at = this.#chunkOf(message.id);
    const chunk = this.#chunks[at]!;
    const slot = lowerBound(chunk, message.id);
    if (chunk[slot]!.id === message.id) {
      chunk[slot] = message;
      return;
    }
    this.#size++;
    chunk.splice(slot, 0, message);
    if (chunk.length > CHUNK_LIMIT) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK_LIMIT / 2));
  }

  /** Nearly every message is the newest: a full last chunk stays full, and a new one begins. */
  #append(last: Message[] | undefined, message: Message): void {
    this.#size++;
    if (last && last.length < CHUNK_LIMIT) last.push(message);
    else this.#chunks.push([message]);
  }

  delete(id: string): Message | undefined {
    const at = this.#chunkOf(id);
    const chunk = this.#chunks[at];
    if (!chunk) return undefined;
    const slot = lowerBound(chunk, id);
    if (chunk[slot]?.id !== id) return undefined;
    const [removed] = chunk.splice(slot, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
    this.#size--;
    return removed;
  }

  /** One page, newest first whatever the cursor. `around` may give one more than `limit`, as Discord does. */
  page({ before, after, around, limit }: PageQuery): Message[] {
    if (around !== undefined) {
      const half = Math.floor(limit / 2);
      const middle = this.get(around);
      return [...this.#above(around, half), ...(middle ? [middle] : []), ...this.#below(around, half)];
    }
    return after === undefined ? this.#below(before, limit) : this.#above(after, limit);
  }

  /** Oldest first. */
  *[Symbol.iterator](): Generator<Message> {
    for (const chunk of this.#chunks) yield* chunk;
  }

  #below(before: string | undefined, limit: number): Message[] {
    const page: Message[] = [];
    let at = before === undefined ? this.#chunks.length - 1 : Math.min(this.#chunkOf(before), this.#chunks.length - 1);
    let chunk = this.#chunks[at];
    let slot = chunk ? (before === undefined ? chunk.length : lowerBound(chunk, before)) : 0;
    while (chunk && page.length < limit) {
      if (slot > 0) page.push(chunk[--slot]!);
      else {
        chunk = this.#chunks[--at];
        slot = chunk?.length ?? 0;
      }
    }
    return page;
  }

  #above(after: string, limit: number): Message[] {
    const page: Message[] = [];
    let at = this.#chunkOf(after);
    let chunk = this.#chunks[at];
    let slot = chunk ? lowerBound(chunk, after) : 0;
    if (chunk?.[slot]?.id === after) slot++;
    while (chunk && page.length < limit) {
      if (slot < chunk.length) page.push(chunk[slot++]!);
      else {
        chunk = this.#chunks[++at];
        slot = 0;
      }
    }
    return page.reverse();
  }

  /** The first chunk whose newest message is not below `id`; the number of chunks when all are below. */
  #chunkOf(id: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareIds(this.#chunks[middle]!.at(-1)!.id, id) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The first slot whose message is not below `id`. */
function lowerBound(chunk: readonly Message[], id: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareIds(chunk[middle]!.id, id) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
