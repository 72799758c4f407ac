import { type Doc, Int32, type Value } from '../../../bson/index.ts';
import { addInUtc, parseTimeUnit, type TimeUnit } from '../../dates/index.ts';
import { addDecimal } from '../../decimal.ts';
import { failedToParse, located } from '../../error.ts';
import { compileExpression, constantValue, rootScope } from '../../expressions/index.ts';
import { exactInt, toDecimal, toDouble } from '../../number.ts';
import { compareFound } from '../../order.ts';
import type { QueryContext } from '../../types.ts';
import {
  bracket,
  element,
  type Found,
  format,
  isArray,
  isDoc,
  isNumeric,
  type Numeric,
  typeName,
} from '../../value.ts';
import type { SortSpec } from './partition.ts';

/** The window of one place. Those of later places begin and end no earlier. */
export interface Frame {
  /** Whether a document at that place, which sorts by that key, comes before the window. */
  isBefore(place: number, key: Found): boolean;
  /** Whether it comes behind it. */
  isBehind(place: number, key: Found): boolean;
  /** Whether none of it can come any more, when the first `shown` documents were seen and the last has that key. */
  isComplete(shown: number, lastKey: Found): boolean;
}

export interface Window {
  /** `current` is the document at that place. */
  frame(at: number, current: Doc): Frame;
  /** What documents are compared by; undefined where their places are enough. */
  readonly keyOf?: (doc: Doc) => Found;
  /** Whether every window begins where the partition does, so that each has what the one before it had. */
  readonly grows: boolean;
}

const ALL: Frame = { isBefore: () => false, isBehind: () => false, isComplete: () => false };
const WHOLE: Window = { frame: () => ALL, grows: true };

type Bound<T> = T | 'current' | 'unbounded';

/** Compiles a `window`; without one it is the whole partition. */
export function compileWindow(spec: Value, sort: SortSpec | undefined, context: QueryContext): Window {
  if (spec === undefined) return WHOLE;
  if (!isDoc(spec)) throw failedToParse("'window' field must be an object");
  const [documents, range] = [spec.has('documents'), spec.has('range')];
  if (documents && range) throw failedToParse("Window bounds can specify either 'documents' or 'unit', not both.");
  if (!range && spec.has('unit')) throw failedToParse("Window bounds can only specify 'unit' with range-based bounds.");
  if (!range && !documents) {
    if (spec.size === 0) return WHOLE;
    throw failedToParse(
      "'window' field can only contain 'documents' as the only argument or 'range' with an optional 'unit' field",
    );
  }
  if (documents) {
    if (spec.size !== 1) throw failedToParse("'window' field that specifies documents cannot have other fields");
    return documentWindow(spec.get('documents'), sort, context);
  }
  if (!spec.has('unit')) {
    if (spec.size !== 1) {
      throw failedToParse("'window' field that specifies range cannot have other fields besides 'unit'");
    }
    return rangeWindow(spec.get('range'), undefined, sort, context);
  }
  if (spec.size !== 2) {
    throw failedToParse("'window' field that specifies unit cannot have other fields besides 'range'");
  }
  const unit = spec.get('unit');
  if (typeof unit !== 'string') throw failedToParse("'unit' must be a string");
  return rangeWindow(spec.get('range'), unit, sort, context);
}

function pair(kind: string, limits: Value): readonly [Value, Value] {
  if (!isArray(limits) || limits.length !== 2) {
    throw failedToParse(`Window bounds must be a 2-element array: ${element(kind, limits)}`);
  }
  return [limits[0], limits[1]];
}

function parseBound<T>(value: Value, context: QueryContext, parse: (value: Found) => T): Bound<T> {
  if (value === 'current' || value === 'unbounded') return value;
  if (typeof value === 'string') {
    throw failedToParse("Window bounds must be 'unbounded', 'current', or a number.");
  }
  const known = constantValue(compileExpression(value, context));
  if (!known) throw failedToParse('Window bounds expression must be a constant.');
  return parse(known.value);
}

function checkForward(lower: Bound<Numeric>, upper: Bound<Numeric>): void {
  const [low, high] = [lower, upper].map((bound) => (bound === 'current' ? 0 : bound));
  if (low === 'unbounded' || high === 'unbounded' || compareFound(low!, high!) <= 0) return;
  const shown = (bound: Bound<Numeric>) => (bound === 'current' ? '0' : format(bound));
  throw located(5339900, `Lower bound must not exceed upper bound: [${shown(lower)}, ${shown(upper)}]`);
}

function documentWindow(limits: Value, sort: SortSpec | undefined, context: QueryContext): Window {
  const [first, last] = pair('documents', limits);
  const parse = (value: Found): number => {
    const offset = isNumeric(value) ? exactInt(value) : undefined;
    if (offset === undefined) throw failedToParse('Numeric document-based bounds must be an integer');
    return offset;
  };
  const [lower, upper] = [parseBound(first, context, parse), parseBound(last, context, parse)];
  const whole = (bound: Bound<number>) => (typeof bound === 'number' ? new Int32(bound) : bound);
  checkForward(whole(lower), whole(upper));
  if (!sort && !(lower === 'unbounded' && upper === 'unbounded')) {
    throw located(5339901, 'Document-based bounds require a sortBy');
  }
  const [low, high] = [
    lower === 'unbounded' ? Number.NEGATIVE_INFINITY : lower === 'current' ? 0 : lower,
    upper === 'unbounded' ? Number.POSITIVE_INFINITY : upper === 'current' ? 0 : upper,
  ];
  return {
    frame: (at) => ({
      isBefore: (place) => place < at + low,
      isBehind: (place) => place > at + high,
      isComplete: (shown) => shown > at + high,
    }),
    grows: lower === 'unbounded',
  };
}

function rangeWindow(
  limits: Value,
  unitName: string | undefined,
  sort: SortSpec | undefined,
  context: QueryContext,
): Window {
  const [first, last] = pair('range', limits);
  const parse = (value: Found): Numeric => {
    if (unitName !== undefined && !(isNumeric(value) && exactInt(value) !== undefined)) {
      throw failedToParse("With 'unit', range-based bounds must be an integer");
    }
    if (!isNumeric(value)) throw failedToParse('Range-based bounds expression must be a number');
    return value;
  };
  const [lower, upper] = [parseBound(first, context, parse), parseBound(last, context, parse)];
  checkForward(lower, upper);
  const unit = unitName === undefined ? undefined : parseTimeUnit(unitName);
  if (sort?.fields.length !== 1) throw located(5339902, 'Range-based bounds require sortBy a single field');
  if (sort.fields[0]!.direction < 0) throw located(8947401, 'Range-based bounds require an ascending sortBy');
  const key = sort.key!;
  const keyOf = (doc: Doc) => key(rootScope(doc));
  return {
    frame: (at, current) => rangeFrame(at, checkedKey(keyOf(current), unit)),
    keyOf,
    grows: lower === 'unbounded',
  };

  function rangeFrame(at: number, base: Numeric | Date): Frame {
    const kind = bracket(base);
    const [low, high] = [lower, upper].map((bound) =>
      typeof bound === 'string' ? undefined : moved(base, bound, unit),
    );
    const isBefore = (place: number, found: Found) => {
      if (lower === 'current') return place < at;
      return low === undefined ? bracket(found) < kind : compareFound(found, low) < 0;
    };
    const isBehind = (place: number, found: Found) => {
      if (upper === 'current') return place > at;
      return high === undefined ? bracket(found) > kind : compareFound(found, high) > 0;
    };
    const isComplete = (shown: number, last: Found) =>
      upper === 'current' ? shown > at : shown > 0 && isBehind(shown - 1, last);
    return { isBefore, isBehind, isComplete };
  }
}

function checkedKey(key: Found, unit: TimeUnit | undefined): Numeric | Date {
  if (unit !== undefined) {
    if (key instanceof Date) return key;
    throw located(5429513, `Invalid range: Expected the sortBy field to be a Date, but it was ${typeName(key)}`);
  }
  if (key instanceof Date) {
    throw located(5429413, 'Invalid range: For windows that involve date or time ranges, a unit must be provided.');
  }
  if (isNumeric(key)) return key;
  throw located(5429414, `Invalid range: Expected the sortBy field to be a number, but it was ${typeName(key)}`);
}

/** Numbers are added as decimals, and only compared with. */
function moved(base: Numeric | Date, by: Numeric, unit: TimeUnit | undefined): Numeric | Date {
  if (base instanceof Date) return new Date(addInUtc(base.getTime(), unit!, BigInt(Math.trunc(toDouble(by)))));
  return addDecimal(toDecimal(base), toDecimal(by));
}
