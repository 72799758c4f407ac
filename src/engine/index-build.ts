import { CodedError } from '../base/index.ts';
import { Collator, type Doc, equal, showDoc, type Value } from '../bson/index.ts';
import { kindOf } from '../indexes/index.ts';
import { compileFilter } from '../query/index.ts';
import { idIndex, indexSpec } from './catalog.ts';
import { type BuiltIndex, duplicateKey, nsText } from './collection.ts';
import type { IndexSpec, Namespace } from './contract.ts';
import { buildIndex, type CollectionHandle, type Loaded } from './handle.ts';
import { carryOut, eachMatch } from './match.ts';
import type { Namespaces } from './namespaces.ts';

const INDEX_VERSION = idIndex(new Map()).spec.get('v') as Value;

/**
 * Builds what is missing, all or nothing, while writes go on: a write maintains an index from the moment that its build
 * began, and the build meets every document that was there before. The catalog learns of it last.
 */
export async function createIndexes(
  namespaces: Namespaces,
  handle: CollectionHandle,
  specs: readonly Doc[],
): Promise<{ before: number; after: number }> {
  const before = handle.info.indexes.length;
  const wanted = missing(
    handle.info.indexes,
    specs.map((spec) => normalized(spec, handle.info.options)),
  );
  if (wanted.length === 0) return { before, after: before };
  const loaded = await handle.load();
  const built = wanted.map((spec): BuiltIndex => ({ spec, index: buildIndex(spec), ready: false }));
  for (const index of built) loaded.collection.addIndex(index);
  try {
    await fill(loaded, built, handle.info.ns);
    await namespaces.setIndexes(handle, [...handle.info.indexes, ...wanted]);
    for (const index of built) {
      handle.noteIndex(index.spec.name);
      index.ready = true;
    }
  } catch (error) {
    for (const { spec } of built) loaded.collection.secondary.delete(spec.name);
    throw error;
  }
  return { before, after: handle.info.indexes.length };
}

export async function dropIndexes(
  namespaces: Namespaces,
  handle: CollectionHandle,
  which: string | readonly string[] | Doc,
): Promise<number> {
  const { indexes, ns } = handle.info;
  const before = indexes.length;
  const dropped = which === '*' ? indexes.filter(({ name }) => name !== '_id_') : select(indexes, which, nsText(ns));
  if (dropped.some(({ name }) => name === '_id_')) throw new CodedError('InvalidOptions', 'cannot drop _id index');
  await namespaces.setIndexes(
    handle,
    indexes.filter((spec) => !dropped.includes(spec)),
  );
  for (const { name } of dropped) handle.loaded?.collection.secondary.delete(name);
  return before;
}

function select(indexes: readonly IndexSpec[], which: string | readonly string[] | Doc, ns: string): IndexSpec[] {
  if (which instanceof Map) {
    const found = indexes.filter(({ key }) => equal(key, which));
    const [first, second] = found;
    if (!first) throw new CodedError('IndexNotFound', `can't find index with key: ${keyText(which)}`);
    if (second) {
      throw new CodedError(
        'AmbiguousIndexKeyPattern',
        `${found.length} indexes found for key: ${keyText(which)}, identify by name instead. Conflicting indexes: ${showDoc(first.spec)}, ${showDoc(second.spec)}`,
      );
    }
    return [first];
  }
  const names = typeof which === 'string' ? [which] : (which as readonly string[]);
  return names.map((name) => {
    const found = indexes.find((spec) => spec.name === name);
    if (!found) throw new CodedError('IndexNotFound', `index not found with name [${name}]`, [['ns', ns]]);
    return found;
  });
}

/** Those of `wanted` that are not there yet. The same name or key with another definition is a conflict. */
function missing(present: readonly IndexSpec[], wanted: readonly IndexSpec[]): IndexSpec[] {
  const result: IndexSpec[] = [];
  for (const spec of wanted) {
    const all = [...present, ...result];
    const sameName = all.find(({ name }) => name === spec.name);
    const equivalent = all.find((other) => isEquivalent(other, spec));
    const existing = sameName ?? equivalent;
    const both = () => `Requested index: ${specText(spec)}, existing index: ${existing && specText(existing)}`;
    if (!existing) {
      checkSingle(all, spec);
      result.push(spec);
    } else if (!isEquivalent(existing, spec)) {
      throw new CodedError(
        'IndexKeySpecsConflict',
        `An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. ${both()}`,
      );
    } else if (!sameOptions(existing.spec, spec.spec)) {
      const how = sameName ? 'the same name but different options' : 'a different name and options';
      throw new CodedError('IndexOptionsConflict', `An equivalent index already exists with ${how}. ${both()}`);
    } else if (!sameName) {
      throw new CodedError('IndexOptionsConflict', `Index already exists with a different name: ${existing.name}`);
    }
  }
  return result;
}

/** Of some kinds a collection has one only, whatever the fields. */
function checkSingle(others: readonly IndexSpec[], { key }: IndexSpec): void {
  const kind = kindOf(key);
  const other = kind.single && others.find((each) => kindOf(each.key) === kind);
  if (!other) return;
  throw new CodedError(
    'CannotCreateIndex',
    `only one ${kind.name} index per collection allowed, found existing ${kind.name} index "${other.name}"`,
  );
}

/** The definition as it is kept and shown: `v`, `key` and `name` in front, what MongoDB tolerates and forgets left out. */
function normalized(spec: Doc, options: Doc): IndexSpec {
  const head = ['v', 'key', 'name'];
  const fields: Doc = new Map(head.map((name) => [name, name === 'v' ? INDEX_VERSION : (spec.get(name) as Value)]));
  for (const [name, value] of spec) {
    const unset = value === false && ['unique', 'hidden', 'prepareUnique'].includes(name);
    if (!unset && ![...head, 'ns', 'collation'].includes(name)) fields.set(name, value);
  }
  const key = spec.get('key') as Doc;
  const kind = kindOf(key);
  const collation = collationOf(spec, options);
  if (isIdKey(key)) return checkedIdIndex(options, collation);
  if (collation) {
    if (!COLLATED_KINDS.has(kind.name)) {
      const shown = showDoc(collation);
      throw new CodedError('CannotCreateIndex', `Index type '${kind.name}' does not support collation: ${shown}`);
    }
    fields.set('collation', collation);
  }
  return indexSpec(kind.complete(fields));
}

/** The kinds of index that hold strings to compare. */
const COLLATED_KINDS: ReadonlySet<string> = new Set(['btree', 'hashed', '2dsphere', 'wildcard']);

/** Every option of the index's collation: its own, or that of its collection. */
function collationOf(spec: Doc, options: Doc): Doc | undefined {
  const given = (spec.get('collation') ?? options.get('collation')) as Doc | undefined;
  return Collator.of(given)?.toDoc();
}

function checkedIdIndex(options: Doc, collation: Doc | undefined): IndexSpec {
  if (!equal(collation, options.get('collation'))) {
    throw new CodedError('CannotCreateIndex', '_id index must have the collection default collation');
  }
  return idIndex(options);
}

function isIdKey(key: Doc): boolean {
  return key.size === 1 && key.has('_id') && Number(key.get('_id')) === 1;
}

/** Options that make two indexes on one key different indexes, as in the server since 5.0. */
const IDENTITY = ['unique', 'sparse', 'partialFilterExpression', 'collation'];

/** Whether the two are one index, whatever their names and their other options. */
function isEquivalent(left: IndexSpec, right: IndexSpec): boolean {
  const alike = (option: string) => equal(left.spec.get(option) ?? false, right.spec.get(option) ?? false);
  return samePattern(left.key, right.key) && IDENTITY.every(alike);
}

function samePattern(left: Doc, right: Doc): boolean {
  const entries = [...right];
  return (
    left.size === right.size &&
    [...left].every(([path, value], at) => entries[at]?.[0] === path && equal(value, entries[at]![1]))
  );
}

function sameOptions(left: Doc, right: Doc): boolean {
  const options = (spec: Doc) =>
    [...spec].filter(([name, value]) => !['v', 'key', 'name', 'background'].includes(name) && value !== false);
  const [ours, theirs] = [new Map(options(left)), new Map(options(right))];
  return (
    ours.size === theirs.size && [...ours].every(([name, value]) => theirs.has(name) && equal(value, theirs.get(name)))
  );
}

async function fill(loaded: Loaded, built: readonly BuiltIndex[], ns: Namespace): Promise<void> {
  const everything = compileFilter(new Map(), { now: new Date(0), random: () => 0 });
  const work = eachMatch(loaded, { filter: everything, limit: 0 }, ({ slot, doc }) => {
    for (const { spec, index } of built) {
      const prepared = index.prepare(doc);
      // With `prepareUnique` what is there may stay.
      const conflict = spec.spec.get('unique') === true && index.conflict(slot.recordId, prepared);
      if (conflict) throw duplicateKey(ns, spec, conflict.keyValue);
      index.insert(slot.recordId, prepared);
    }
  });
  const nothingToCommit = () => {};
  await carryOut(loaded, work, nothingToCommit);
}

function keyText(key: Doc): string {
  return `{ ${[...key].map(([path, value]) => `${path}: ${String(value)}`).join(', ')} }`;
}

function specText({ key, name, unique, spec }: IndexSpec): string {
  const flags = `${unique ? ', unique: true' : ''}${spec.get('sparse') ? ', sparse: true' : ''}`;
  return `{ v: 2${flags}, key: ${keyText(key)}, name: "${name}" }`;
}
