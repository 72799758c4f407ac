import { CodedError } from '../../base/index.ts';
import { type Doc, doc, encode, toExtendedJson, typeAlias, type Value } from '../../bson/index.ts';
import { isDocument, toNumber } from '../fields.ts';

const MAX_FIELDS = 32;
const MAX_INDEXES_PER_COMMAND = 1000;
const MAX_INT32 = 0x7fff_ffff;

/** Options that may be set, with the values that ask for nothing where DiscoDB cannot give more. */
const OPTIONS: ReadonlyMap<string, { feature: string; harmless: (value: Value) => boolean } | undefined> = new Map([
  ...['v', 'key', 'name', 'ns', 'unique', 'sparse', 'partialFilterExpression', 'expireAfterSeconds'].map(
    (name) => [name, undefined] as const,
  ),
  ...['background', 'dropDups', 'hidden'].map((name) => [name, undefined] as const),
  // Only storage engines of MongoDB's own know these.
  ...['storageEngine', 'prepareUnique'].map((name) => [name, { feature: name, harmless: isNothing }] as const),
  ['collation', { feature: 'collation', harmless: isSimpleCollation }],
  ['clustered', { feature: 'clustered collections', harmless: isNothing }],
  ...['weights', 'default_language', 'language_override', 'textIndexVersion'].map(
    (name) => [name, { feature: 'text indexes', harmless: () => false }] as const,
  ),
  ...['2dsphereIndexVersion', 'bits', 'min', 'max', 'bucketSize', 'finestIndexedLevel', 'coarsestIndexedLevel'].map(
    (name) => [name, { feature: 'geospatial indexes', harmless: () => false }] as const,
  ),
  ['wildcardProjection', { feature: 'wildcard indexes', harmless: () => false }],
]);

/** The options that MongoDB lets the index on `_id` have. */
const ID_OPTIONS: ReadonlySet<string> = new Set(['v', 'key', 'name', 'ns', 'collation']);

function isNothing(value: Value): boolean {
  return value === false || value === null || (isDocument(value) && value.size === 0);
}

function isSimpleCollation(value: Value): boolean {
  return isDocument(value) && value.get('locale') === 'simple';
}

/** Checks the definitions that createIndexes was given; returns them with unknown options left out where that is asked for. */
export function checkIndexSpecs(specs: readonly Doc[], ignoreUnknown: boolean): Doc[] {
  if (specs.length === 0) throw new CodedError('BadValue', 'Must specify at least one index to create');
  if (specs.length > MAX_INDEXES_PER_COMMAND) {
    throw new CodedError('BadValue', `Cannot create more than ${MAX_INDEXES_PER_COMMAND} indexes at once`);
  }
  return specs.map((spec) => {
    const key = spec.get('key');
    if (!isDocument(key)) throw missing('key', spec);
    checkKey(key);
    const name = spec.get('name');
    if (typeof name !== 'string') throw missing('name', spec);
    if (name === '' || name === '*' || name.includes('\0')) {
      throw new CodedError('BadValue', `The index name '${name}' is not valid.`);
    }
    checkPartial(spec);
    if (isIdKey(key)) checkIdOptions(spec);
    else checkExpiry(spec, key.size);
    return withKnownOptions(spec, ignoreUnknown);
  });
}

function checkPartial(spec: Doc): void {
  if (!spec.has('partialFilterExpression')) return;
  if (!isDocument(spec.get('partialFilterExpression'))) {
    throw new CodedError('TypeMismatch', `The field 'partialFilterExpression' must be an object: ${show(spec)}`);
  }
  if (spec.get('sparse') === true) {
    throw new CodedError('CannotCreateIndex', 'cannot mix "partialFilterExpression" and "sparse" options');
  }
}

function isIdKey(key: Doc): boolean {
  return key.size === 1 && toNumber(key.get('_id')) === 1;
}

function checkIdOptions(spec: Doc): void {
  for (const name of spec.keys()) {
    if (ID_OPTIONS.has(name) || !OPTIONS.has(name)) continue;
    throw new CodedError(
      'InvalidIndexSpecificationOption',
      `The field '${name}' is not valid for an _id index specification. Specification: ${show(spec)}`,
    );
  }
}

function checkExpiry(spec: Doc, fields: number): void {
  const wrong = spec.has('expireAfterSeconds') && wrongExpiry(spec.get('expireAfterSeconds'), fields);
  if (wrong) throw new CodedError('CannotCreateIndex', `${wrong}. Index spec: ${show(spec)}`);
}

/** What is wrong with a time after which documents expire, if anything. */
function wrongExpiry(value: Value, fields: number): string | undefined {
  const option = "TTL index 'expireAfterSeconds' option";
  const seconds = toNumber(value);
  if (seconds === undefined) return `${option} must be numeric, but received a type of '${typeAlias(value)}'`;
  if (Number.isNaN(seconds)) return `${option} must not be NaN`;
  if (Math.abs(seconds) > MAX_INT32) {
    return "TTL index 'expireAfterSeconds' must be within the range of a 32-bit integer";
  }
  if (seconds < 0) return `${option} cannot be less than 0`;
  if (fields > 1) return 'TTL indexes are single-field indexes, compound indexes do not support TTL';
  return undefined;
}

function withKnownOptions(spec: Doc, ignoreUnknown: boolean): Doc {
  const kept: Doc = new Map();
  for (const [name, value] of spec) {
    if (!OPTIONS.has(name)) {
      if (ignoreUnknown) continue;
      throw new CodedError(
        'InvalidIndexSpecificationOption',
        `The field '${name}' is not valid for an index specification. Specification: ${show(spec)}`,
      );
    }
    const option = OPTIONS.get(name);
    if (option && !option.harmless(value)) {
      throw new CodedError(
        'NotImplemented',
        `DiscoDB does not support ${option.feature} yet. Specification: ${show(spec)}`,
      );
    }
    // Of no effect since MongoDB 3.0, but drivers still send it.
    if (!option && name !== 'dropDups')
      kept.set(name, name === 'unique' || name === 'sparse' ? Boolean(toNumber(value) ?? value) : value);
  }
  return kept;
}

/** A key is directions by path. Strings name kinds of index that MongoDB has and DiscoDB does not. */
function checkKey(key: Doc): void {
  if (key.size === 0) throw new CodedError('CannotCreateIndex', 'Index keys cannot be an empty object.');
  if (key.size > MAX_FIELDS) {
    throw new CodedError('Location13103', `too many compound keys: ${key.size} exceeds ${MAX_FIELDS}`);
  }
  for (const [path, direction] of key) {
    if (path === '' || path.split('.').includes('')) {
      throw new CodedError('CannotCreateIndex', 'Index keys cannot contain an empty field.');
    }
    if (path === '$**' || path.endsWith('.$**')) {
      throw new CodedError('NotImplemented', 'DiscoDB does not support wildcard indexes yet');
    }
    if (path.split('.').some((part) => part.startsWith('$') && !['$id', '$db', '$ref'].includes(part))) {
      throw new CodedError(
        'CannotCreateIndex',
        "Index key contains an illegal field name: field name starts with '$'.",
      );
    }
    if (typeof direction === 'string') {
      throw new CodedError('NotImplemented', `DiscoDB does not support indexes of type '${direction}' yet`);
    }
    const number = toNumber(direction);
    if (number === undefined || number === 0 || Number.isNaN(number)) {
      throw new CodedError(
        'CannotCreateIndex',
        'Values in v:2 index key pattern must be numbers > 0, numbers < 0 or strings: ' +
          show(doc({ [path]: direction })),
      );
    }
  }
}

function missing(field: string, spec: Doc): CodedError {
  return new CodedError(
    'FailedToParse',
    `Error in specification ${show(spec)} :: caused by :: The '${field}' field is a required property of an index specification`,
  );
}

function show(spec: Doc): string {
  return toExtendedJson(encode(spec));
}
