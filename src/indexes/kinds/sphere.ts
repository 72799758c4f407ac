import { CodedError } from '../../base/index.ts';
import {
  type Doc,
  encodeKey,
  Int32,
  isNumber,
  showDoc,
  showValue,
  type TextKeys,
  typeAlias,
  type Value,
} from '../../bson/index.ts';
import { type CellLevels, cellsOf, DEFAULT_LEVELS, FINEST_LEVEL, parseStored, placesOf } from '../../geo/index.ts';
import { isDescending } from '../bounds.ts';
import { checkSolePlugin, type DocumentKeys, type IndexKey, type IndexKind, type KeyGenerator } from './kind.ts';

const NAME = '2dsphere';
const VERSION_FIELD = '2dsphereIndexVersion';
const VERSION = 3;

/** Keys that one document may have (MongoDB's `indexMaxNumGeneratedKeysPerDocument`). */
const MAX_KEYS = 100_000;

/** Geometries on the sphere, by the S2 cells that cover them; other fields may stand before and behind. */
export const sphere: IndexKind = {
  name: NAME,
  check(definition) {
    checkSolePlugin(definition, NAME);
    checkVersion(definition);
    levelsOf(definition);
  },
  complete: (definition) =>
    definition.has(VERSION_FIELD) ? definition : new Map([...definition, [VERSION_FIELD, new Int32(VERSION)]]),
  generator: (definition, texts) => new SphereKeys(definition.get('key') as Doc, levelsOf(definition), texts),
};

function checkVersion(definition: Doc): void {
  if (!definition.has(VERSION_FIELD)) return;
  const given = definition.get(VERSION_FIELD);
  if (!isNumber(given)) {
    throw new CodedError('TypeMismatch', `The field '${VERSION_FIELD}' must be a number, but got ${typeAlias(given)}`);
  }
  const version = Math.trunc(Number(given));
  if (version === VERSION) return;
  if (version === 1 || version === 2) {
    throw new CodedError('NotImplemented', `DiscoDB makes 2dsphere indexes of version ${VERSION} only`);
  }
  throw new CodedError(
    'CannotCreateIndex',
    `unsupported geo index version { ${VERSION_FIELD} : ${VERSION_FIELD}: ${showValue(given)} }, ` +
      'only versions: [1,2,3] are supported',
  );
}

/** The levels of cells that an index keeps lines and areas by. Throws for those that cannot be. */
export function levelsOf(definition: Doc): CellLevels {
  const coarsest = level(definition, 'coarsestIndexedLevel') ?? DEFAULT_LEVELS.coarsest;
  const finest = level(definition, 'finestIndexedLevel') ?? DEFAULT_LEVELS.finest;
  if (coarsest < 0) throw new CodedError('Location16747', 'coarsestIndexedLevel must be >= 0');
  if (finest > FINEST_LEVEL) throw new CodedError('Location16748', `finestIndexedLevel must be <= ${FINEST_LEVEL}`);
  if (finest < coarsest) throw new CodedError('Location16749', 'finestIndexedLevel must be >= coarsestIndexedLevel');
  return { coarsest, finest };
}

function level(definition: Doc, name: string): number | undefined {
  if (!definition.has(name)) return undefined;
  const given = definition.get(name);
  if (!isNumber(given)) {
    throw new CodedError('TypeMismatch', `The field '${name}' must be a number, but got ${typeAlias(given)}`);
  }
  if (Number.isInteger(Number(given))) return Number(given);
  const shown = `${name}: ${showValue(given)}`;
  throw new CodedError(
    'BadValue',
    `Expected field "${name}" to have a value exactly representable as a 64-bit integer, but found ${shown}`,
  );
}

interface Field {
  readonly parts: readonly string[];
  readonly isGeo: boolean;
  readonly descending: boolean;
}

/** A key for each combination of what the fields hold. Documents without any geometry are left out. */
class SphereKeys implements KeyGenerator {
  readonly #fields: readonly Field[];
  readonly #levels: CellLevels;
  readonly #texts: TextKeys | undefined;

  constructor(pattern: Doc, levels: CellLevels, texts: TextKeys | undefined) {
    this.#texts = texts;
    this.#fields = [...pattern].map(([path, direction]) => ({
      parts: path.split('.'),
      isGeo: direction === NAME,
      descending: isDescending(direction),
    }));
    this.#levels = levels;
  }

  keys(doc: Doc): DocumentKeys {
    let keys: IndexKey[] = [{ key: '', values: [] }];
    let hasGeometry = false;
    let isMultikey = false;
    const arrays = this.#fields.map(({ parts, isGeo, descending }) => {
      const values = isGeo ? this.#cells(doc, parts) : literals(doc, parts);
      if (isGeo && values.length > 0) hasGeometry = true;
      const ends = (values.length > 0 ? values : [null]).map((value) => ({
        value,
        key: encodeKey(value, descending, this.#texts),
      }));
      if (keys.length * ends.length > MAX_KEYS) {
        throw new CodedError('CannotBuildIndexKeys', `Index key generation yields more than ${MAX_KEYS} keys`);
      }
      keys = keys.flatMap((start) =>
        ends.map(({ value, key }) => ({ key: start.key + key, values: [...start.values, value] })),
      );
      if (ends.length > 1) isMultikey = true;
      return new Set(ends.length > 1 ? [parts.length - 1] : []);
    });
    return hasGeometry ? { keys, arrays: isMultikey ? arrays : undefined } : { keys: [], arrays: undefined };
  }

  #cells(doc: Doc, parts: readonly string[]): bigint[] {
    return placesOf(doc, parts)
      .filter(isSomething)
      .flatMap((place) => this.#cellsOf(place, parts.at(-1)!, doc));
  }

  #cellsOf(place: Value, name: string, doc: Doc): bigint[] {
    const refused = (reason: string) =>
      new CodedError('Location16755', `Can't extract geo keys: ${showDoc(doc)}  ${reason}`);
    let geometry: ReturnType<typeof parseStored>;
    try {
      geometry = parseStored(place, name);
    } catch (error) {
      throw refused((error as Error).message);
    }
    if (geometry.crs === 'strict') throw refused("can't index geometry with strict winding order");
    if (!geometry.sphere) throw refused(`can't project geometry into spherical CRS: ${showValue(place)}`);
    return cellsOf(geometry.sphere, this.#levels);
  }
}

/** Null, `{}` and `[]` stand for no geometry. */
function isSomething(place: Value): boolean {
  if (Array.isArray(place)) return place.length > 0;
  return place instanceof Map ? place.size > 0 : place !== null && place !== undefined;
}

/** The values of another field: an array by its elements, an empty one as undefined. */
function literals(doc: Doc, parts: readonly string[]): Value[] {
  return placesOf(doc, parts).flatMap((value) =>
    Array.isArray(value) ? (value.length > 0 ? value : [undefined]) : [value],
  );
}
