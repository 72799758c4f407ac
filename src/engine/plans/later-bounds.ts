import { keyEnd, type TextKeys } from '../../bson/index.ts';
import { type Intervals, isEverything, type KeyRange, keyRange } from '../../indexes/index.ts';

/** What a key that lies outside leads to: a place from which on there may be one that does not. */
export interface Place {
  /** The beginning of keys. */
  readonly text: string;
  /** Keys that begin so may lie inside. */
  readonly inclusive: boolean;
}

/** The bounds on fields behind those that make the stretches of a scan: keys outside are passed over by seeking, as MongoDB does. */
export class LaterBounds {
  readonly #descending: readonly boolean[];
  /** Of each field, in the order of the index; undefined where it is not bounded. */
  readonly #ranges: readonly (readonly KeyRange[] | undefined)[];
  readonly #first: number;
  readonly #last: number;

  /** `bounds` of all fields, of which those from `first` on are these. */
  constructor(
    bounds: readonly Intervals[],
    first: number,
    descending: readonly boolean[],
    texts: readonly (TextKeys | undefined)[],
  ) {
    this.#descending = descending;
    this.#first = first;
    this.#ranges = bounds.map((intervals, field) => {
      if (field < first || isEverything(intervals)) return undefined;
      const ranges = intervals.map((each) => keyRange('', each, descending[field], texts[field]));
      return descending[field] ? ranges.reverse() : ranges;
    });
    this.#last = this.#ranges.findLastIndex((ranges) => ranges !== undefined);
  }

  get none(): boolean {
    return this.#last < 0;
  }

  /** The stretch from the first place on where a key may lie within all bounds. */
  from(range: KeyRange, reverse: boolean): KeyRange {
    const { lower = '', upper = '', lowerInclusive = true, upperInclusive = true } = range;
    let [text, inclusive] = reverse ? [upper, upperInclusive] : [lower, lowerInclusive];
    if (this.#fieldsIn(text) !== this.#first) return range;
    for (let field = this.#first; inclusive; field++) {
      const next = this.#ranges[field]?.at(reverse ? -1 : 0);
      const bound = reverse ? next?.upper : next?.lower;
      if (!next || !bound) break;
      text += bound;
      inclusive = (reverse ? next.upperInclusive : next.lowerInclusive) ?? true;
    }
    return reverse
      ? { ...range, upper: text, upperInclusive: inclusive }
      : { ...range, lower: text, lowerInclusive: inclusive };
  }

  #fieldsIn(text: string): number {
    let field = 0;
    for (let at = 0; at < text.length; field++) at = keyEnd(text, at, this.#descending[field]!);
    return field;
  }

  /** Undefined: the key lies within all bounds. Else where to go on, forwards or in `reverse`. */
  check(key: string, reverse: boolean): Place | undefined {
    let at = 0;
    for (let field = 0; field <= this.#last; field++) {
      const end = keyEnd(key, at, this.#descending[field]!);
      const ranges = this.#ranges[field];
      if (field >= this.#first && ranges) {
        const next = nextRange(ranges, key.slice(at, end), reverse);
        if (next === 'beyond') return { text: key.slice(0, at), inclusive: false };
        if (next !== 'within') return { text: key.slice(0, at) + next.text, inclusive: next.inclusive };
      }
      at = end;
    }
    return undefined;
  }
}

/** Where a field's value stands among its ranges: within one, before one, or beyond all. */
function nextRange(ranges: readonly KeyRange[], value: string, reverse: boolean): 'within' | 'beyond' | Place {
  const count = ranges.length;
  for (let at = 0; at < count; at++) {
    const {
      lower = '',
      upper = '',
      lowerInclusive = true,
      upperInclusive = true,
    } = ranges[reverse ? count - 1 - at : at]!;
    const isAbove = value >= lower && (lowerInclusive || !value.startsWith(lower));
    const isBelow = value < upper || (upperInclusive && value.startsWith(upper));
    if (isAbove && isBelow) return 'within';
    if (reverse && isAbove) return { text: upper, inclusive: upperInclusive };
    if (!reverse && isBelow) return { text: lower, inclusive: lowerInclusive };
  }
  return 'beyond';
}
