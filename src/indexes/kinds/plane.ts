import { CodedError } from '../../base/index.ts';
import { type Doc, encodeKey, isNumber, pathValues, showDoc, typeAlias, type Value } from '../../bson/index.ts';
import { type FlatPoint, type Grid, geohash, isInGrid, placesOf, shortNumber } from '../../geo/index.ts';
import { isDescending } from '../bounds.ts';
import { checkSolePlugin, type DocumentKeys, type IndexKey, type IndexKind, type KeyGenerator } from './kind.ts';

const NAME = '2d';
const DEFAULT_GRID: Grid = { min: -180, max: 180, bits: 26 };
const MAX_BITS = 32;

/** Legacy coordinate pairs in a square of the plane, by quarters of quarters of it; other fields may stand behind. */
export const plane: IndexKind = {
  name: NAME,
  check(definition) {
    checkSolePlugin(definition, NAME);
    const [first, ...others] = (definition.get('key') as Doc).values();
    if (first !== NAME) throw new CodedError('Location16801', '2d has to be first in index');
    if (others.includes(NAME)) throw new CodedError('Location16800', "can't have 2 geo fields");
    gridOf(definition);
  },
  complete: (definition) => definition,
  generator: (definition) => new PlaneKeys(definition.get('key') as Doc, gridOf(definition)),
};

/** Throws for one that cannot be. */
export function gridOf(definition: Doc): Grid {
  const min = option(definition, 'min') ?? DEFAULT_GRID.min;
  const max = option(definition, 'max') ?? DEFAULT_GRID.max;
  const bits = Math.trunc(option(definition, 'bits') ?? DEFAULT_GRID.bits);
  if (!(bits >= 1 && bits <= MAX_BITS)) {
    throw invalid(`bits for hash must be > 0 and <= ${MAX_BITS}, but ${shortNumber(bits)} bits were specified`);
  }
  const range = `[${shortNumber(min)}, ${shortNumber(max)}]`;
  if (!(min < max && Number.isFinite(min) && Number.isFinite(max))) {
    throw invalid(`region for hash must be valid and have positive area, but ${range} was specified`);
  }
  if (!Number.isFinite(max - min) || !Number.isFinite(1 / (max - min))) throw invalid(`range ${range} is too small.`);
  return { min, max, bits };
}

function option(definition: Doc, name: string): number | undefined {
  if (!definition.has(name)) return undefined;
  const given = definition.get(name);
  if (isNumber(given)) return Number(given);
  throw new CodedError('TypeMismatch', `The field '${name}' must be a number, but got ${typeAlias(given)}`);
}

function invalid(message: string): CodedError {
  return new CodedError('InvalidOptions', message);
}

/** A key for each point. Documents without any are left out. */
class PlaneKeys implements KeyGenerator {
  readonly #parts: readonly string[];
  readonly #others: readonly { readonly path: string; readonly descending: boolean }[];
  readonly #grid: Grid;

  constructor(pattern: Doc, grid: Grid) {
    const [geo, ...others] = pattern;
    this.#parts = geo![0].split('.');
    this.#others = others.map(([path, direction]) => ({ path, descending: isDescending(direction) }));
    this.#grid = grid;
  }

  keys(doc: Doc): DocumentKeys {
    const points = placesOf(doc, this.#parts).flatMap((place) => this.#points(place, doc));
    if (points.length === 0) return { keys: [], arrays: undefined };
    const others = this.#others.map(({ path, descending }) => ({ value: valueAt(doc, path), descending }));
    const rest = others.map(({ value, descending }) => encodeKey(value, descending)).join('');
    const keys = points.map((point): IndexKey => {
      const hash = geohash(point, this.#grid);
      return { key: encodeKey(hash) + rest, values: [hash, ...others.map(({ value }) => value)] };
    });
    const none = this.#others.map(() => new Set<number>());
    return { keys, arrays: points.length > 1 ? [new Set([this.#parts.length - 1]), ...none] : undefined };
  }

  /** A place is a pair, or holds several. What is neither array nor document is none. */
  #points(place: Value, doc: Doc): FlatPoint[] {
    const values = valuesOf(place);
    if (!values || values.length === 0) return [];
    if (isNumber(values[0])) return [this.#point(values, doc)];
    return values.flatMap((item) => {
      const pair = valuesOf(item);
      if (!pair) {
        throw new CodedError('Location16804', 'location object expected, location array not in correct format');
      }
      return pair.length === 0 ? [] : [this.#point(pair, doc)];
    });
  }

  #point(pair: readonly Value[], doc: Doc): FlatPoint {
    const [x, y] = pair;
    const cause = ` :: caused by :: ${showDoc(doc)}`;
    if (pair.length < 2) throw new CodedError('Location13068', `geo field only has 1 element${cause}`);
    if (!isNumber(x) || !isNumber(y)) {
      throw new CodedError('Location13026', `geo values must be 'legacy coordinate pairs' for 2d indexes${cause}`);
    }
    const point = { x: Number(x), y: Number(y) };
    if (!isInGrid(point, this.#grid)) {
      const { min, max } = this.#grid;
      const interval = `[ ${shortNumber(min)}, ${shortNumber(max)} ]`;
      throw new CodedError('Location13027', `point not in interval of ${interval}${cause}`);
    }
    return point;
  }
}

function valuesOf(value: Value): readonly Value[] | undefined {
  if (Array.isArray(value)) return value;
  return value instanceof Map ? [...value.values()] : undefined;
}

/** Several values at a path are one, an array of them. */
function valueAt(doc: Doc, path: string): Value {
  const { values } = pathValues(doc, path);
  if (values.length === 0) return null;
  return values.length === 1 ? (values[0] as Value) : [...values];
}
