import { CodedError, type Env, located, uuidBytes, withContext } from '../base/index.ts';
import { Binary, type Doc, equal, showDoc, type Value } from '../bson/index.ts';
import { compileFilter } from '../query/index.ts';
import type { BuiltIndex } from './built-index.ts';
import { idIndex } from './catalog.ts';
import { duplicateKey, nsText } from './collection.ts';
import type { IndexSpec, Namespace } from './contract.ts';
import { buildIndex, type CollectionHandle, type Loaded } from './handle.ts';
import { indexesOf, newIndexes } from './index-definition.ts';
import { carryOut, eachMatch } from './match.ts';
import type { Namespaces } from './namespaces.ts';

/**
 * Builds what is missing, all or nothing, while writes go on: a write maintains an index from the moment that its build
 * began, and the build meets every document that was there before. The catalog learns of it last.
 */
export async function createIndexes(
  env: Env,
  namespaces: Namespaces,
  ns: Namespace,
  specs: readonly Doc[],
): Promise<{ before: number; after: number; createdCollection: boolean }> {
  const createdCollection = !namespaces.handle(ns);
  // What cannot be made makes no collection either.
  if (createdCollection) newIndexes({ ns, options: new Map(), indexes: [idIndex(new Map())] }, specs);
  const handle = await namespaces.ensure(ns);
  const before = indexesOf(handle.info).length;
  const wanted = newIndexes(handle.info, specs);
  if (wanted.length === 0) return { before, after: before, createdCollection };
  const loaded = await handle.load();
  const built = wanted.map((spec): BuiltIndex => ({ spec, index: buildIndex(spec), ready: false }));
  for (const index of built) loaded.collection.addIndex(index);
  try {
    await fill(env, handle, loaded, built);
    await namespaces.setIndexes(handle, [...handle.info.indexes, ...wanted]);
    for (const index of built) {
      handle.noteIndex(index.spec.name);
      index.ready = true;
    }
  } catch (error) {
    for (const { spec } of built) loaded.collection.secondary.delete(spec.name);
    throw error;
  }
  return { before, after: indexesOf(handle.info).length, createdCollection };
}

/** Whether all indexes are meant, but for that on `_id`. */
export function isAll(which: string | readonly string[] | Doc): boolean {
  return which === '*' || (Array.isArray(which) && which[0] === '*');
}

/** Returns how many there were. */
export async function dropIndexes(
  namespaces: Namespaces,
  handle: CollectionHandle,
  which: string | readonly string[] | Doc,
): Promise<number> {
  const { indexes, ns, options } = handle.info;
  checkClustered(options.get('clusteredIndex'), which);
  const before = indexesOf(handle.info).length;
  const dropped = isAll(which) ? indexes.filter(({ name }) => name !== '_id_') : select(indexes, which, nsText(ns));
  if (dropped.some(({ name }) => name === '_id_')) throw new CodedError('InvalidOptions', 'cannot drop _id index');
  await namespaces.setIndexes(
    handle,
    indexes.filter((spec) => !dropped.includes(spec)),
  );
  for (const { name } of dropped) handle.loaded?.collection.secondary.delete(name);
  return before;
}

function checkClustered(clustered: Value, which: string | readonly string[] | Doc): void {
  if (!(clustered instanceof Map)) return;
  const name = clustered.get('name') as string;
  const named = which instanceof Map ? equal(which, clustered.get('key')) : [which].flat().includes(name);
  if (named) throw located(5979800, 'It is illegal to drop the clusteredIndex');
}

function select(indexes: readonly IndexSpec[], which: string | readonly string[] | Doc, ns: string): IndexSpec[] {
  if (which instanceof Map) {
    const found = indexes.filter(({ key }) => equal(key, which));
    const [first, second] = found;
    if (!first) throw new CodedError('IndexNotFound', `can't find index with key: ${showDoc(which)}`);
    if (second) {
      throw new CodedError(
        'AmbiguousIndexKeyPattern',
        `${found.length} indexes found for key: ${showDoc(which)}, identify by name instead. Conflicting indexes: ${showDoc(first.spec)}, ${showDoc(second.spec)}`,
      );
    }
    return [first];
  }
  const names = typeof which === 'string' ? [which] : (which as readonly string[]);
  return names.map((name, at) => {
    const isGone = names.indexOf(name) < at;
    const found = isGone ? undefined : indexes.find((spec) => spec.name === name);
    if (!found) throw new CodedError('IndexNotFound', `index not found with name [${name}]`, [['ns', ns]]);
    return found;
  });
}

/** Throws, as MongoDB's index builds do, with ids of the build and of the collection in front of what is wrong. */
async function fill(env: Env, { info }: CollectionHandle, loaded: Loaded, built: readonly BuiltIndex[]): Promise<void> {
  const { ns, uuid } = info;
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
  try {
    await carryOut(loaded, work, nothingToCommit);
  } catch (error) {
    const build = uuidText(uuidBytes(env.random));
    throw withContext(error, `Index build failed: ${build}: Collection ${nsText(ns)} ( ${uuidText(uuid)} )`);
  }
}

function uuidText(bytes: Uint8Array): string {
  return new Binary(bytes, Binary.SUBTYPE_UUID).toUUID().toHexString();
}
