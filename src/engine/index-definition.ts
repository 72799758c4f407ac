import { CodedError, inContext, located } from '../base/index.ts';
import { Collator, type Doc, equal, Int32, showDoc, type Value } from '../bson/index.ts';
import { kindOf, WildcardPaths } from '../indexes/index.ts';
import { checkPartialFilter, filterTree, showFilter } from '../query/index.ts';
import { idIndex, indexSpec } from './catalog.ts';
import { nsText } from './collection.ts';
import type { CollectionInfo, IndexSpec } from './contract.ts';
import { isIdKey, isTrue } from './index-spec.ts';

/** Indexes that a collection may have, with that on `_id`. */
const MAX_INDEXES = 64;
const MAX_FIELDS = 32;

/** The indexes that MongoDB knows of a collection: one that is clustered by `_id` needs none on it. */
export function indexesOf({ options, indexes }: Pick<CollectionInfo, 'options' | 'indexes'>): readonly IndexSpec[] {
  return options.has('clusteredIndex') ? indexes.filter(({ name }) => name !== '_id_') : indexes;
}

/**
 * The definitions, accepted by `checkIndexSpecs`, of the indexes that the collection does not have yet, as they are kept
 * and listed. Throws, as MongoDB's index catalog does, for those that it cannot have.
 */
export function newIndexes(
  info: Pick<CollectionInfo, 'ns' | 'options' | 'indexes'>,
  specs: readonly Doc[],
): IndexSpec[] {
  const wanted: IndexSpec[] = [];
  for (const spec of specs) {
    const collation = collationOf(spec, info.options);
    const original = originalSpec(spec, collation);
    const context = `Error in specification ${showDoc(original)}`;
    if (inContext(context, () => isClusteredIndex(original, info.options))) continue;
    const definition = normalized(original, info.options, context);
    if (definition.spec.has('expireAfterSeconds') && info.options.get('capped') === true) {
      throw cannot('Cannot create TTL index on a capped collection');
    }
    if (isNew(info, [...indexesOf(info), ...wanted], definition)) wanted.push(definition);
  }
  return wanted;
}

/** Every option of the index's collation: its own, or that of its collection, which an index of version 1 has not. */
function collationOf(spec: Doc, options: Doc): Doc | undefined {
  const inherited = Number(spec.get('v')) < 2 ? undefined : options.get('collation');
  return Collator.of((spec.get('collation') ?? inherited) as Doc | undefined)?.toDoc();
}

/** The definition as errors show it. */
function originalSpec(spec: Doc, collation: Doc | undefined): Doc {
  const original: Doc = new Map([...spec].filter(([name]) => name !== 'ns' && name !== 'collation'));
  return collation ? original.set('collation', collation) : original;
}

/** Whether it is the index of a clustered collection, which is there without being made. */
function isClusteredIndex(spec: Doc, options: Doc): boolean {
  const own = options.get('clusteredIndex') as Doc | undefined;
  const asked = spec.has('clustered');
  if (!own && !asked) return false;
  const keysMatch = own !== undefined && isIdKey(spec.get('key') as Doc);
  if (asked && !keysMatch) {
    throw located(
      6243700,
      "Cannot create index with option 'clustered' that does not match an existing clustered index",
    );
  }
  if (!keysMatch && spec.get('name') !== own?.get('name')) return false;
  if (!keysMatch) {
    throw located(
      6100906,
      'Cannot create an index where the name matches the clusteredIndex but the key does not - ' +
        `indexSpec: ${showDoc(spec)}, clusteredIndex: ${showDoc(own!)}`,
    );
  }
  if (Number(spec.get('v')) !== Number(own?.get('v') ?? 2)) {
    throw located(
      6100908,
      "Cannot create an index with the same key pattern as the collection's clusteredIndex but a different 'v' field",
    );
  }
  return true;
}

/** The kinds of index that hold strings to compare. */
const COLLATED_KINDS: ReadonlySet<string> = new Set(['btree', 'hashed', '2dsphere', 'wildcard']);

/** What a kind finds wrong as it makes its definition complete is told with that; what it finds as it begins is not. */
const WITH_CONTEXT: ReadonlySet<string> = new Set(['CannotCreateIndex', 'TypeMismatch', 'BadValue']);

/** The definition as it is kept and shown: `v`, `key` and `name` in front, what MongoDB tolerates and forgets left out. */
function normalized(original: Doc, options: Doc, context: string): IndexSpec {
  inContext(context, () => checkOptions(original, options));
  const key = original.get('key') as Doc;
  if (isIdKey(key)) return idIndex(options);
  const fields: Doc = new Map<string, Value>([
    ['v', new Int32(Math.trunc(Number(original.get('v'))))],
    ['key', key],
    ['name', original.get('name')],
  ]);
  for (const [name, value] of original) {
    if (fields.has(name) || FORGOTTEN.has(name)) continue;
    if (!FLAGS.has(name)) fields.set(name, value);
    else if (isTrue(value)) fields.set(name, true);
    else if (name === 'sparse' || name === 'background') fields.set(name, value);
  }
  const kind = kindOf(key);
  try {
    kind.check(fields);
  } catch (error) {
    if (!(error instanceof CodedError) || !WITH_CONTEXT.has(error.codeName)) throw error;
    inContext(context, () => {
      throw error;
    });
  }
  if (key.size > MAX_FIELDS) throw located(13103, 'too many compound keys');
  return indexSpec(kind.complete(fields));
}

const FORGOTTEN: ReadonlySet<string> = new Set(['_id', 'ns', 'dropDups', 'clustered']);
const FLAGS: ReadonlySet<string> = new Set(['unique', 'hidden', 'prepareUnique', 'sparse', 'background']);

function checkOptions(spec: Doc, options: Doc): void {
  const name = spec.get('name') as string;
  if (name.includes('\0')) throw cannot('index name cannot contain NUL bytes');
  if (name === '') throw cannot('index name cannot be empty');
  const kind = kindOf(spec.get('key') as Doc).name;
  const collation = spec.get('collation') as Doc | undefined;
  if (collation && !COLLATED_KINDS.has(kind) && !isIdKey(spec.get('key') as Doc)) {
    throw cannot(`Index type '${kind}' does not support collation: ${showDoc(collation)}`);
  }
  const partial = spec.get('partialFilterExpression');
  if (partial instanceof Map) {
    if (isTrue(spec.get('sparse'))) throw cannot('cannot mix "partialFilterExpression" and "sparse" options');
    checkPartialFilter(partial);
  }
  if (isIdKey(spec.get('key') as Doc) && !equal(collation, options.get('collation'))) {
    throw cannot('_id index must have the collection default collation');
  }
  if (spec.has('storageEngine')) checkStorageEngine(spec.get('storageEngine'));
}

/** Only storage engines of MongoDB's own know these. */
function checkStorageEngine(given: Value): void {
  if (!(given instanceof Map)) throw cannot('"storageEngine" options must be a document if present');
  if (given.size === 0) {
    throw cannot('Empty "storageEngine" options are invalid. Please remove the field or include valid options.');
  }
  throw new CodedError('NotImplemented', 'DiscoDB does not support storageEngine yet');
}

/** Whether there is none like it yet. The same name or key with another definition is a conflict. */
function isNew({ ns }: Pick<CollectionInfo, 'ns'>, all: readonly IndexSpec[], spec: IndexSpec): boolean {
  const sameName = all.find(({ name }) => name === spec.name);
  const existing = sameName ?? all.find((other) => isEquivalent(other, spec));
  if (!existing) {
    if (all.length >= MAX_INDEXES) {
      throw cannot(`add index fails, too many indexes for ${nsText(ns)} key:${showDoc(spec.key)}`);
    }
    checkSingle(all, spec);
    return true;
  }
  const both = `Requested index: ${specText(spec)}, existing index: ${specText(existing)}`;
  if (!isEquivalent(existing, spec)) {
    throw new CodedError(
      'IndexKeySpecsConflict',
      `An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. ${both}`,
    );
  }
  if (!sameOptions(existing.spec, spec.spec)) {
    const how = sameName ? 'the same name but different options' : 'a different name and options';
    throw new CodedError('IndexOptionsConflict', `An equivalent index already exists with ${how}. ${both}`);
  }
  if (sameName) return false;
  throw new CodedError('IndexOptionsConflict', `Index already exists with a different name: ${existing.name}`);
}

/** Of some kinds a collection has one only, whatever the fields. */
function checkSingle(others: readonly IndexSpec[], { key }: IndexSpec): void {
  const kind = kindOf(key);
  const other = kind.single && others.find((each) => kindOf(each.key) === kind);
  if (!other) return;
  throw cannot(`only one ${kind.name} index per collection allowed, found existing ${kind.name} index "${other.name}"`);
}

/** What makes two indexes on one key different indexes, as in the server since 5.0, in a form that tells it. */
const IDENTITY: readonly ((spec: Doc) => Value)[] = [
  (spec) => spec.get('unique') ?? false,
  (spec) => spec.get('sparse') ?? false,
  (spec) => spec.get('collation') ?? false,
  (spec) => {
    const partial = spec.get('partialFilterExpression');
    return partial instanceof Map ? showFilter(filterTree(partial)) : false;
  },
  (spec) => (spec.has('wildcardProjection') ? new WildcardPaths(spec).signature : false),
];

/** Whether the two are one index, whatever their names and their other options. */
function isEquivalent(left: IndexSpec, right: IndexSpec): boolean {
  return samePattern(left.key, right.key) && IDENTITY.every((form) => equal(form(left.spec), form(right.spec)));
}

function samePattern(left: Doc, right: Doc): boolean {
  const entries = [...right];
  return (
    left.size === right.size &&
    [...left].every(([path, value], at) => entries[at]?.[0] === path && equal(value, entries[at]![1]))
  );
}

/** Of no account, or part of what makes it one index. */
const NOT_COMPARED: ReadonlySet<string> = new Set([
  ...['v', 'key', 'name', 'background', 'textIndexVersion', '2dsphereIndexVersion'],
  ...['unique', 'sparse', 'collation', 'partialFilterExpression', 'wildcardProjection'],
]);

function sameOptions(left: Doc, right: Doc): boolean {
  const options = (spec: Doc) => [...spec].filter(([name, value]) => !NOT_COMPARED.has(name) && value !== false);
  const [ours, theirs] = [new Map(options(left)), new Map(options(right))];
  return (
    ours.size === theirs.size && [...ours].every(([name, value]) => theirs.has(name) && equal(value, theirs.get(name)))
  );
}

/** The definition in the order that MongoDB's catalog has its fields in. */
function specText({ spec }: IndexSpec): string {
  const shown: Doc = new Map();
  for (const name of ['v', 'unique', 'hidden', 'prepareUnique', 'key', 'name']) {
    if (spec.has(name)) shown.set(name, spec.get(name));
  }
  for (const [name, value] of spec) shown.set(name, value);
  return showDoc(shown);
}

function cannot(message: string): CodedError {
  return new CodedError('CannotCreateIndex', message);
}
