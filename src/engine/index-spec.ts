import { CodedError } from '../base/index.ts';
import { type Doc, doc, isNumber, showDoc, typeAlias, type Value } from '../bson/index.ts';
import { isWildcardPath, kindOf } from '../indexes/index.ts';

const MAX_FIELDS = 32;
const MAX_INDEXES_PER_COMMAND = 1000;
const MAX_INT32 = 0x7fff_ffff;

/** The fields that a definition may have; what those of one kind of index may be is the kind's to check. */
const FIELDS: ReadonlySet<string> = new Set([
  ...['v', 'key', 'name', 'ns', 'unique', 'sparse', 'partialFilterExpression', 'expireAfterSeconds', 'hidden'],
  ...['background', 'dropDups', 'collation', 'storageEngine', 'prepareUnique', 'clustered'],
  ...['weights', 'default_language', 'language_override', 'textIndexVersion'],
  ...['2dsphereIndexVersion', 'bits', 'min', 'max', 'bucketSize', 'finestIndexedLevel', 'coarsestIndexedLevel'],
  'wildcardProjection',
]);

/** Of no effect since MongoDB 3.0, but drivers still send it. */
const FORGOTTEN = 'dropDups';

/** What asks for something that DiscoDB cannot give, where its value does. */
const UNSUPPORTED: ReadonlyMap<string, (value: Value) => boolean> = new Map([
  // Only storage engines of MongoDB's own know these.
  ...['storageEngine', 'clustered'].map((name) => [name, (value: Value) => !isNothing(value)] as const),
]);

/** The options that MongoDB lets the index on `_id` have. */
const ID_OPTIONS: ReadonlySet<string> = new Set(['v', 'key', 'name', 'ns', 'collation']);

function isNothing(value: Value): boolean {
  return value === false || value === null || (value instanceof Map && value.size === 0);
}

/** Checks the definitions that createIndexes was given; returns them with unknown options left out where that is asked for. */
export function checkIndexSpecs(specs: readonly Doc[], ignoreUnknown: boolean): Doc[] {
  if (specs.length === 0) throw new CodedError('BadValue', 'Must specify at least one index to create');
  if (specs.length > MAX_INDEXES_PER_COMMAND) {
    throw new CodedError('BadValue', `Cannot create more than ${MAX_INDEXES_PER_COMMAND} indexes at once`);
  }
  return specs.map((spec) => {
    const key = spec.get('key');
    if (!(key instanceof Map)) throw missing('key', spec);
    checkKey(key);
    const name = spec.get('name');
    if (typeof name !== 'string') throw missing('name', spec);
    if (name === '' || name === '*' || name.includes('\0')) {
      throw new CodedError('BadValue', `The index name '${name}' is not valid.`);
    }
    checkPartial(spec);
    checkCollation(spec);
    if (isIdKey(key)) checkIdOptions(spec);
    else checkExpiry(spec, key.size);
    const known = withKnownFields(spec, ignoreUnknown);
    kindOf(key).check(known);
    return known;
  });
}

function checkPartial(spec: Doc): void {
  if (!spec.has('partialFilterExpression')) return;
  if (!(spec.get('partialFilterExpression') instanceof Map)) {
    throw new CodedError('TypeMismatch', `The field 'partialFilterExpression' must be an object: ${showDoc(spec)}`);
  }
  if (spec.get('sparse') === true) {
    throw new CodedError('CannotCreateIndex', 'cannot mix "partialFilterExpression" and "sparse" options');
  }
}

/** What it says is read when the index is made. */
function checkCollation(spec: Doc): void {
  if (!spec.has('collation')) return;
  const collation = spec.get('collation');
  if (!(collation instanceof Map)) {
    const type = typeAlias(collation);
    throw new CodedError('TypeMismatch', `The field 'collation' must be an object, but got ${type}`);
  }
  if (collation.size === 0) throw new CodedError('BadValue', "The field 'collation' cannot be an empty object.");
}

function isIdKey(key: Doc): boolean {
  return key.size === 1 && Number(key.get('_id')) === 1 && isNumber(key.get('_id'));
}

function checkIdOptions(spec: Doc): void {
  for (const name of spec.keys()) {
    if (ID_OPTIONS.has(name) || !FIELDS.has(name)) continue;
    throw new CodedError(
      'InvalidIndexSpecificationOption',
      `The field '${name}' is not valid for an _id index specification. Specification: ${showDoc(spec)}`,
    );
  }
}

function checkExpiry(spec: Doc, fields: number): void {
  const wrong = spec.has('expireAfterSeconds') && wrongExpiry(spec.get('expireAfterSeconds'), fields);
  if (wrong) throw new CodedError('CannotCreateIndex', `${wrong}. Index spec: ${showDoc(spec)}`);
}

/** What is wrong with a time after which documents expire, if anything. */
function wrongExpiry(value: Value, fields: number): string | undefined {
  const option = "TTL index 'expireAfterSeconds' option";
  if (!isNumber(value)) return `${option} must be numeric, but received a type of '${typeAlias(value)}'`;
  const seconds = Number(value);
  if (Number.isNaN(seconds)) return `${option} must not be NaN`;
  if (Math.abs(seconds) > MAX_INT32) {
    return "TTL index 'expireAfterSeconds' must be within the range of a 32-bit integer";
  }
  if (seconds < 0) return `${option} cannot be less than 0`;
  if (fields > 1) return 'TTL indexes are single-field indexes, compound indexes do not support TTL';
  return undefined;
}

function withKnownFields(spec: Doc, ignoreUnknown: boolean): Doc {
  const kept: Doc = new Map();
  for (const [name, value] of spec) {
    if (!FIELDS.has(name)) {
      if (ignoreUnknown) continue;
      throw new CodedError(
        'InvalidIndexSpecificationOption',
        `The field '${name}' is not valid for an index specification. Specification: ${showDoc(spec)}`,
      );
    }
    if (UNSUPPORTED.get(name)?.(value)) {
      throw new CodedError('NotImplemented', `DiscoDB does not support ${name} yet. Specification: ${showDoc(spec)}`);
    }
    if (name === FORGOTTEN) continue;
    kept.set(name, name === 'unique' || name === 'sparse' ? isTrue(value) : value);
  }
  return kept;
}

function isTrue(value: Value): boolean {
  return isNumber(value) ? Number(value) !== 0 : Boolean(value);
}

/** A key is directions by path; a text in place of one names the kind of index. */
function checkKey(key: Doc): void {
  if (key.size === 0) throw new CodedError('CannotCreateIndex', 'Index keys cannot be an empty object.');
  if (key.size > MAX_FIELDS) {
    throw new CodedError('Location13103', `too many compound keys: ${key.size} exceeds ${MAX_FIELDS}`);
  }
  for (const [path, direction] of key) {
    if (path === '' || path.split('.').includes('')) {
      throw new CodedError('CannotCreateIndex', 'Index keys cannot contain an empty field.');
    }
    if (isWildcardPath(path)) continue;
    if (path.split('.').some((part) => part.startsWith('$') && !['$id', '$db', '$ref'].includes(part))) {
      throw new CodedError(
        'CannotCreateIndex',
        "Index key contains an illegal field name: field name starts with '$'.",
      );
    }
    if (typeof direction === 'string') continue;
    if (!isNumber(direction) || Number(direction) === 0 || Number.isNaN(Number(direction))) {
      throw new CodedError(
        'CannotCreateIndex',
        'Values in v:2 index key pattern must be numbers > 0, numbers < 0 or strings: ' +
          showDoc(doc({ [path]: direction })),
      );
    }
  }
}

function missing(field: string, spec: Doc): CodedError {
  return new CodedError(
    'FailedToParse',
    `Error in specification ${showDoc(spec)} :: caused by :: The '${field}' field is a required property of an index specification`,
  );
}
