import { CodedError, inContext, located } from '../base/index.ts';
import { type Doc, encode, Int32, isNumber, showDoc, showValue, typeAlias, type Value } from '../bson/index.ts';
import { checkWildcardKey, checkWildcardProjection, isWildcardPath } from '../indexes/index.ts';
import { checkNoSpecialFeatures, checkPlainProjection, compileFilter } from '../query/index.ts';

/**
 * What is wrong with definitions of indexes by themselves, whatever the collection: MongoDB's `index_key_validate`, in
 * its order and words.
 */

const MAX_INDEXES_PER_COMMAND = 1000;
const MAX_KEY_BYTES = 2048;
const MAX_INT32 = 0x7fff_ffff;

/** The fields that a definition may have; what those of one kind of index may be is the kind's to check. */
const FIELDS: ReadonlySet<string> = new Set([
  ...['v', 'key', 'name', 'ns', '_id', 'unique', 'sparse', 'partialFilterExpression', 'expireAfterSeconds', 'hidden'],
  ...['background', 'dropDups', 'collation', 'storageEngine', 'prepareUnique', 'clustered'],
  ...['weights', 'default_language', 'language_override', 'textIndexVersion'],
  ...['2dsphereIndexVersion', 'bits', 'min', 'max', 'bucketSize', 'finestIndexedLevel', 'coarsestIndexedLevel'],
  'wildcardProjection',
]);

const CLUSTERED_FIELDS: ReadonlySet<string> = new Set(['name', 'unique', 'v', 'key', 'clustered']);

/** The options that MongoDB lets the index on `_id` have. */
const ID_FIELDS: ReadonlySet<string> = new Set(['v', 'key', 'name', 'ns', '_id', 'collation']);

const PLUGINS: ReadonlySet<string> = new Set(['', '2d', '2dsphere', 'hashed', 'text', 'wildcard']);

export interface SpecOptions {
  readonly ignoreUnknown: boolean;
  /** The client asked for version 1 of the API and nothing else. */
  readonly apiStrict: boolean;
}

/**
 * Checks the definitions that createIndexes was given; returns them with `v`, and without the unknown options where
 * that is asked for.
 */
export function checkIndexSpecs(given: readonly Doc[], options: SpecOptions): Doc[] {
  if (given.length > MAX_INDEXES_PER_COMMAND) {
    throw new CodedError('BadValue', `Cannot create more than ${MAX_INDEXES_PER_COMMAND} indexes at once`);
  }
  const specs = given.map((spec) => {
    const known: Doc = options.ignoreUnknown ? new Map([...spec].filter(([name]) => FIELDS.has(name))) : spec;
    inContext(`Error in specification ${showDoc(known)}`, () => checkSpec(known, options.apiStrict));
    checkNames(known);
    return known;
  });
  if (specs.length === 0) throw new CodedError('BadValue', 'Must specify at least one index to create');
  for (const spec of specs) {
    checkExpiry(spec);
    const key = spec.get('key') as Doc;
    if (key.size === 1 && isNumber(key.get('_id')) && Math.trunc(Number(key.get('_id'))) === -1) throw wrongIdKey(key);
  }
  return specs.map((spec) => {
    const stored: Doc = spec.has('v') ? new Map(spec) : new Map([...spec, ['v', new Int32(2)]]);
    const expiry = spec.get('expireAfterSeconds');
    // As MongoDB keeps it, whatever number it was.
    return expiry === undefined ? stored : stored.set('expireAfterSeconds', new Int32(Math.trunc(Number(expiry))));
  });
}

function wrongIdKey(key: Doc): CodedError {
  return new CodedError('BadValue', `The field 'key' for an _id index must be {_id: 1}, but got ${showDoc(key)}`);
}

/** Checks what `create` was given of the index on `_id`. */
export function checkIdIndexSpec(spec: Doc): void {
  checkSpec(spec, false);
  const key = spec.get('key') as Doc;
  if (!isIdKey(key)) throw wrongIdKey(key);
  checkNames(spec);
}

function checkSpec(spec: Doc, apiStrict: boolean): void {
  checkFields(spec);
  for (const [name, value] of spec) CHECKS.get(name)?.(value, name, spec, apiStrict);
  for (const name of ['key', 'name']) {
    if (spec.has(name)) continue;
    throw new CodedError('FailedToParse', `The '${name}' field is a required property of an index specification`);
  }
  const invalid = (why: string) => cannot(`Invalid index specification ${showDoc(spec)}; ${why}`);
  if (spec.has('clustered')) {
    if (!isTrue(spec.get('clustered'))) throw located(6492800, "Value 'false' for field 'clustered' is invalid");
    if (!isTrue(spec.get('unique'))) throw cannot("The 'unique' field is required when 'clustered' is specified");
  }
  if (spec.has('collation') && Number(spec.get('v') ?? 2) < 2) {
    throw invalid("cannot create an index with the 'collation' option and v=1");
  }
  if (spec.has('weights') && pluginOf(spec.get('key') as Doc) !== 'text') {
    throw invalid("the field 'weights' can only be specified with text indexes");
  }
  if (isTrue(spec.get('unique')) && isTrue(spec.get('prepareUnique'))) {
    throw invalid("cannot create an index with the 'unique' option and the 'prepareUnique' option");
  }
}

function checkFields(spec: Doc): void {
  const [known, what] = spec.has('clustered')
    ? [CLUSTERED_FIELDS, 'a clustered index specification']
    : [FIELDS, 'an index specification'];
  const unknown = [...spec.keys()].find((name) => !known.has(name));
  if (unknown !== undefined) throw wrongOption(unknown, what, spec);
}

type Check = (value: Value, name: string, spec: Doc, apiStrict: boolean) => void;

const number = mustBe('a number', isNumber);
const string = mustBe('a string', (value) => typeof value === 'string');
const object = mustBe('an object', isDoc);

/** What each field must be, asked in the order that the definition has them in. */
const CHECKS: ReadonlyMap<string, Check> = new Map<string, Check>([
  [
    'key',
    (value, name, spec, apiStrict) => {
      object(value, name);
      checkKey(value as Doc, spec, apiStrict);
    },
  ],
  ['name', string],
  ['hidden', mustBe('a bool', (value) => typeof value === 'boolean')],
  ['v', checkVersion],
  ['collation', filled],
  ['partialFilterExpression', checkPartial],
  ['wildcardProjection', checkProjection],
  ['weights', mustBe('an object', (value) => isDoc(value) || Array.isArray(value) || typeof value === 'string')],
  ...['background', 'unique', 'sparse', 'dropDups', 'prepareUnique', 'clustered'].map((name) => [name, flag] as const),
  ...['default_language', 'language_override'].map((name) => [name, string] as const),
  ...[
    '2dsphereIndexVersion',
    'textIndexVersion',
    'bits',
    'min',
    'max',
    'coarsestIndexedLevel',
    'finestIndexedLevel',
  ].map((name) => [name, number] as const),
  ['bucketSize', number],
]);

function mustBe(what: string, fits: (value: Value) => boolean): (value: Value, name: string) => void {
  return (value, name) => {
    if (fits(value)) return;
    throw new CodedError('TypeMismatch', `The field '${name}' must be ${what}, but got ${typeAlias(value)}`);
  };
}

function filled(value: Value, name: string): void {
  object(value, name);
  if ((value as Doc).size === 0) throw new CodedError('BadValue', `The field '${name}' cannot be an empty object.`);
}

function flag(value: Value, name: string): void {
  if (isNumber(value) || typeof value === 'boolean') return;
  throw new CodedError(
    'TypeMismatch',
    `The field '${name} has value ${name}: ${showValue(value)}, which is not convertible to bool`,
  );
}

function checkVersion(value: Value, name: string, spec: Doc): void {
  number(value, name);
  const version = Number(value);
  if (!Number.isInteger(version) || Math.abs(version) > MAX_INT32) {
    throw new CodedError(
      'BadValue',
      `Index version must be representable as a 32-bit integer, but got ${showValue(value)}`,
    );
  }
  if (version === 1 || version === 2) return;
  throw cannot(`Invalid index specification ${showDoc(spec)}; cannot create an index with v=${version}`);
}

function checkPartial(value: Value, name: string): void {
  object(value, name);
  checkNoSpecialFeatures(value);
  compileFilter(value as Doc, { now: new Date(0), random: () => 0 });
}

function checkProjection(value: Value, name: string, spec: Doc): void {
  const key = isDoc(spec.get('key')) ? (spec.get('key') as Doc) : new Map<string, Value>();
  if (pluginOf(key) !== 'wildcard') {
    throw new CodedError('BadValue', `The field '${name}' is only allowed in 'wildcard' indexes`);
  }
  if (!isDoc(value)) {
    throw new CodedError('TypeMismatch', `The field '${name}' must be a non-empty object, but got ${typeAlias(value)}`);
  }
  if (!key.has('$**')) {
    throw new CodedError('FailedToParse', `The field '${name}' is only allowed when 'key' is {"$**": ±1}`);
  }
  if (value.size === 0) throw new CodedError('FailedToParse', `The '${name}' field can't be an empty object`);
  checkWildcardProjection(key, value);
  inContext('Failed to parse projection: wildcardProjection', () => checkPlainProjection(value));
}

/** A key is directions by path; a text in place of one names the kind of index. */
function checkKey(key: Doc, spec: Doc, apiStrict: boolean): void {
  const plugin = pluginOf(key);
  if (apiStrict && plugin === 'text') {
    throw new CodedError('APIStrictError', 'text indexes cannot be created with apiStrict: true');
  }
  if (encode(key).length > MAX_KEY_BYTES) throw cannot('Index key pattern too large.');
  if (key.size === 0) throw cannot('Index keys cannot be empty.');
  if (plugin === 'geoHaystack') throw cannot('GeoHaystack indexes cannot be created in version 5.0 and above');
  if (!PLUGINS.has(plugin)) throw cannot(`Unknown index plugin '${plugin}'`);
  if (plugin === 'wildcard') checkWildcardKey(key);
  if (plugin === 'wildcard' && Number(spec.get('v')) === 1) {
    throw cannot("'wildcard' index plugin is not allowed with index version v:1");
  }
  for (const [path, direction] of key) {
    checkDirection(direction, plugin);
    checkPath(path, direction, plugin);
  }
  if ([...key.values()].includes('')) throw cannot('Values in the index key pattern cannot be empty strings');
  if (plugin === 'wildcard' && key.has('$**') && key.size > 1 && !spec.has('wildcardProjection')) {
    throw cannot("Compound wildcard indexes on all fields must also specify 'wildcardProjection' option");
  }
}

function checkDirection(direction: Value, plugin: string): void {
  if (isNumber(direction)) {
    if (Number.isNaN(Number(direction))) throw cannot('Values in the index key pattern cannot be NaN.');
    if (Number(direction) === 0) throw cannot('Values in the index key pattern cannot be 0.');
  } else if (typeof direction !== 'string') {
    throw cannot(
      `Values in v:2 index key pattern cannot be of type ${typeAlias(direction)}. Only numbers > 0, numbers < 0, and strings are allowed.`,
    );
  } else if (direction !== plugin) {
    throw cannot("Can't use more than one index plugin for a single index.");
  } else if (direction === 'wildcard') {
    throw cannot("The key pattern value for an 'wildcard' index must be a non-zero number, not a string.");
  }
}

/** Names with a `$` in front that a path may have behind its first: those of a DBRef. */
const REFERENCE: ReadonlySet<string> = new Set(['$db', '$id', '$ref']);

function checkPath(path: string, direction: Value, plugin: string): void {
  if (path === '') throw cannot('Index keys cannot be an empty field.');
  if (path === '$**' && (isNumber(direction) || direction === 'text')) return;
  if (path === '_fts' && direction !== 'text') throw cannot("Index key contains an illegal field name: '_fts'");
  const parts = path.split('.');
  for (const [at, part] of parts.entries()) {
    if (part === '') throw cannot('Index keys cannot contain an empty field.');
    const isWildcard = part === '$**' && at === parts.length - 1 && plugin === 'wildcard';
    if (!part.startsWith('$') || (at > 0 && REFERENCE.has(part)) || isWildcard) continue;
    throw cannot("Index key contains an illegal field name: field name starts with '$'.");
  }
}

/** The name of the kind of index that a key asks for; empty for that of plain directions. */
function pluginOf(key: Doc): string {
  for (const [path, direction] of key) {
    if (typeof direction === 'string') return direction;
    if (isWildcardPath(path)) return 'wildcard';
  }
  return '';
}

function checkNames(spec: Doc): void {
  const key = spec.get('key') as Doc;
  if (isIdKey(key)) {
    const wrong = spec.has('clustered') ? undefined : [...spec.keys()].find((name) => !ID_FIELDS.has(name));
    if (wrong !== undefined) throw wrongOption(wrong, 'an _id index specification', spec);
    return;
  }
  const bad = (message: string) => new CodedError('BadValue', message);
  if (spec.get('name') === '_id_') {
    throw bad(
      `The index name '_id_' is reserved for the _id index, which must have key pattern {_id: 1}, found key: ${showDoc(key)}`,
    );
  }
  if (spec.get('name') === '*') throw bad("The index name '*' is not valid.");
}

/** `{_id: 1}`, whatever the type of the number. */
export function isIdKey(key: Doc): boolean {
  return key.size === 1 && isNumber(key.get('_id')) && Number(key.get('_id')) === 1;
}

function checkExpiry(spec: Doc): void {
  if (!spec.has('expireAfterSeconds')) return;
  const wrong = wrongExpiry(spec.get('expireAfterSeconds'));
  if (wrong) throw cannot(`. Index spec: ${showDoc(spec)} :: caused by :: ${wrong}`);
  if ((spec.get('key') as Doc).size === 1) return;
  throw cannot(
    `TTL indexes are single-field indexes, compound indexes do not support TTL. Index spec: ${showDoc(spec)}`,
  );
}

/** What is wrong with a time after which documents expire, if anything. */
function wrongExpiry(value: Value): string | undefined {
  const option = "TTL index 'expireAfterSeconds' option";
  if (!isNumber(value)) return `${option} must be numeric, but received a type of '${typeAlias(value)}'`;
  const seconds = Number(value);
  if (Number.isNaN(seconds)) return `${option} must not be NaN`;
  if (Math.abs(Math.trunc(seconds)) > MAX_INT32) {
    return "TTL index 'expireAfterSeconds' must be within the range of a 32-bit integer";
  }
  return seconds <= -1 ? `${option} cannot be less than 0` : undefined;
}

function wrongOption(name: string, what: string, spec: Doc): CodedError {
  return new CodedError(
    'InvalidIndexSpecificationOption',
    `The field '${name}' is not valid for ${what}. Specification: ${showDoc(spec)}`,
  );
}

function cannot(message: string): CodedError {
  return new CodedError('CannotCreateIndex', message);
}

function isDoc(value: Value): value is Doc {
  return value instanceof Map;
}

export function isTrue(value: Value): boolean {
  return isNumber(value) ? Number(value) !== 0 : Boolean(value);
}
