import type { Doc } from '../../../bson/index.ts';
import type { Accumulator } from '../../accumulators.ts';
import { rootScope, type Scope } from '../../expressions/index.ts';
import { sizeOfValue } from '../../size.ts';
import { type Found, MISSING, orNull } from '../../value.ts';
import type { Frame, Window } from './bounds.ts';
import type { Running, WindowFunction } from './partition.ts';

/** A document that was shown: what is looked at of it, and what a range compares. */
export interface Item<T> {
  readonly place: number;
  readonly key: Found;
  readonly value: T;
  readonly size: number;
}

/** A number of items and a few fields of each. */
const ITEM_BYTES = 16;

/** How a function sees each document. */
export interface Look<T> {
  of(doc: Doc): T;
  /** The bytes of BSON, about. */
  size(value: T): number;
}

/** What has been shown to a function of a window, in the order of the partition. */
abstract class Shown<T> implements Running {
  readonly #window: Window;
  readonly #look: Look<T>;
  #shown = 0;
  #lastKey: Found = MISSING;
  #at = -1;
  protected frame!: Frame;
  held = 0;

  constructor(window: Window, look: Look<T>) {
    this.#window = window;
    this.#look = look;
  }

  wants(at: number, current: Doc): boolean {
    if (at !== this.#at) {
      this.#at = at;
      this.frame = this.#window.frame(at, current);
      this.moved();
    }
    return !this.frame.isComplete(this.#shown, this.#lastKey);
  }

  show(doc: Doc): void {
    const value = this.#look.of(doc);
    this.#lastKey = this.#window.keyOf?.(doc) ?? MISSING;
    const size = ITEM_BYTES + this.#look.size(value) + sizeOfValue(this.#lastKey);
    this.took({ place: this.#shown++, key: this.#lastKey, value, size }, doc);
  }

  abstract value(at: number, current: Doc): Found;

  /** The window is that of the next place. */
  protected abstract moved(): void;
  protected abstract took(item: Item<T>, doc: Doc): void;

  protected isBehind({ place, key }: Item<T>): boolean {
    return this.frame.isBehind(place, key);
  }
}

/** An accumulator of groups, or one of windows alone, bound to its argument. */
export interface Summing {
  readonly expression: (scope: Scope) => Found;
  start(scope: Scope): Accumulator & { readonly held?: number };
}

const lookAt = ({ expression }: Summing): Look<Found> => ({
  of: (doc) => expression(rootScope(doc)),
  size: sizeOfValue,
});

/** An accumulator that values leave again, in the order in which they came. */
export interface Removable extends Accumulator {
  remove(value: Found): void;
}

/** One that is kept over the windows of all places: what comes is added first, then what leaves is removed. */
export function overRemovable(summing: Summing & { start(): Removable }, window: Window): WindowFunction {
  if (window.grows) return overWindow(summing, window);
  return () => {
    const state = summing.start();
    const inside: Item<Found>[] = [];
    let next = 0;
    return new Moving(window, lookAt(summing), (items, from, to) => {
      let first = to;
      while (first > from && items[first - 1]!.place >= next) first--;
      for (const item of items.slice(first, to)) {
        state.add(item.value);
        inside.push(item);
        next = item.place + 1;
      }
      const start = from < to ? items[from]!.place : next;
      while (inside.length > 0 && inside[0]!.place < start) state.remove(inside.shift()!.value);
      return orNull(state.result());
    });
  };
}

/** An accumulator over a window. One that only grows is added to; any other is summed up anew. */
export function overWindow(summing: Summing, window: Window): WindowFunction {
  if (window.grows) return () => new Growing(summing, window);
  const look = lookAt(summing);
  return () =>
    new Moving(window, look, (values, from, to, current) => {
      const state = summing.start(rootScope(current));
      for (let at = from; at < to; at++) state.add(values[at]!.value);
      return orNull(state.result());
    });
}

class Growing extends Shown<Found> {
  readonly #summing: Summing;
  #state: ReturnType<Summing['start']> | undefined;
  /** Shown, and not in the window yet. */
  readonly #ahead: Item<Found>[] = [];
  #aheadBytes = 0;
  #result: Found;
  #isNew = true;

  constructor(summing: Summing, window: Window) {
    super(window, lookAt(summing));
    this.#summing = summing;
  }

  value(_: number, current: Doc): Found {
    this.#state ??= this.#summing.start(rootScope(current));
    if (this.#isNew) this.#result = orNull(this.#state.result());
    this.#isNew = false;
    return this.#result;
  }

  protected moved(): void {
    while (this.#ahead.length > 0 && !this.isBehind(this.#ahead[0]!)) {
      const { value, size } = this.#ahead.shift()!;
      this.#aheadBytes -= size;
      this.#add(value);
    }
    this.#measure();
  }

  protected took(item: Item<Found>, doc: Doc): void {
    // What an accumulator begins with may hang on the first document.
    this.#state ??= this.#summing.start(rootScope(doc));
    if (this.isBehind(item)) {
      this.#ahead.push(item);
      this.#aheadBytes += item.size;
    } else this.#add(item.value);
    this.#measure();
  }

  #add(value: Found): void {
    this.#state!.add(value);
    this.#isNew = true;
  }

  #measure(): void {
    this.held = (this.#state?.held ?? 0) + this.#aheadBytes;
  }
}

/** Of those shown, the window's are from the place `from` on, and `to` is behind the last of them. */
export type Tell<T> = (items: readonly Item<T>[], from: number, to: number, current: Doc) => Found;

/** A window that is looked at as a whole at each place. */
export class Moving<T> extends Shown<T> {
  readonly #tell: Tell<T>;
  readonly #endsOnly: boolean;
  #items: Item<T>[] = [];
  /** Those in front of it have left. */
  #head = 0;

  /** `endsOnly`: all but the first and the last of the window may be dropped. */
  constructor(window: Window, look: Look<T>, tell: Tell<T>, endsOnly = false) {
    super(window, look);
    this.#tell = tell;
    this.#endsOnly = endsOnly && window.grows;
  }

  value(_: number, current: Doc): Found {
    this.moved();
    let to = this.#items.length;
    while (to > this.#head && this.isBehind(this.#items[to - 1]!)) to--;
    return this.#tell(this.#items, this.#head, to, current);
  }

  /** Lets go of what has left. */
  protected moved(): void {
    for (; this.#head < this.#items.length; this.#head++) {
      const { place, key, size } = this.#items[this.#head]!;
      if (!this.frame.isBefore(place, key)) break;
      this.held -= size;
    }
    if (this.#head === 0 || 2 * this.#head < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }

  protected took(item: Item<T>): void {
    this.#items.push(item);
    this.held += item.size;
    // The last one may not be in the window yet.
    if (this.#endsOnly && this.#items.length > 3) this.held -= this.#items.splice(1, 1)[0]!.size;
  }
}
