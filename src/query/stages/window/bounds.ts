import { Int32, type Value } from '../../../bson/index.ts';
import { addInUtc, parseTimeUnit, type TimeUnit } from '../../dates/index.ts';
import { addDecimal } from '../../decimal.ts';
import { failedToParse, located } from '../../error.ts';
import { compileExpression, constantValue } from '../../expressions/index.ts';
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
import type { Partition, SortSpec } from './partition.ts';

/** The first and last place of a window; the first after the last where it is empty. */
export type Bounds = (partition: Partition, at: number) => readonly [from: number, to: number];

export interface Window {
  readonly bounds: Bounds;
  /** Whether every window begins where the partition does, so that each has what the one before it had. */
  readonly grows: boolean;
}

const WHOLE: Window = { bounds: ({ docs }) => [0, docs.length - 1], grows: true };
export const TO_CURRENT: Window = { bounds: (_, at) => [0, at], grows: true };

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
    bounds: ({ docs }, at) => [Math.max(0, at + low), Math.min(docs.length - 1, at + high)],
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
  return {
    bounds: ({ keys }, at) => {
      const base = checkedKey(keys[at]!, unit);
      const kind = bracket(base);
      let from = at;
      if (lower === 'unbounded') from = firstWhere(keys, (key) => bracket(key) >= kind);
      else if (lower !== 'current') {
        const low = moved(base, lower, unit);
        from = firstWhere(keys, (key) => compareFound(key, low) >= 0);
        if (from < keys.length && bracket(keys[from]!) !== kind) return EMPTY;
      }
      if (upper === 'current') return [from, at];
      if (upper === 'unbounded') return [from, firstWhere(keys, (key) => bracket(key) > kind) - 1];
      const high = moved(base, upper, unit);
      return [from, firstWhere(keys, (key) => compareFound(key, high) > 0) - 1];
    },
    grows: lower === 'unbounded',
  };
}

const EMPTY = [0, -1] as const;

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

/** Keys are in their order. The place of the first one that passes, else behind the last. */
function firstWhere(keys: readonly Found[], passes: (key: Found) => boolean): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (passes(keys[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
