import { CodedError, type Env, located } from '../base/index.ts';
import { type Doc, decode, equal, showDoc, toValue, type Value } from '../bson/index.ts';
import { indexSpec } from './catalog.ts';
import { nsText } from './collection.ts';
import type { CollectionChange, CollectionInfo, IndexChange, IndexSpec } from './contract.ts';
import type { CollectionHandle } from './handle.ts';
import type { Namespaces } from './namespaces.ts';
import { checkValidator } from './validation.ts';

/** Bytes of `_id`s that an error lists at most. */
const MAX_VIOLATION_BYTES = 8 * 1024 * 1024;

/** Carries out a collMod: all that it asks for or nothing. Returns what the reply tells of it. */
export async function modifyCollection(
  env: Env,
  namespaces: Namespaces,
  handle: CollectionHandle,
  change: CollectionChange,
): Promise<Doc> {
  const reply: Doc = new Map();
  if (change.capped && handle.info.options.get('capped') !== true) throw invalid('Collection must be capped.');
  const changed = change.index && (await changedIndex(handle, change.index, reply));
  checkCombination(change);
  const options = changedOptions(env, handle.info, change);
  if (change.dryRun) return new Map();
  await namespaces.alter(handle, ({ indexes }) => ({
    options,
    indexes: indexes.map((spec) => (changed && spec.name === changed.name ? changed : spec)),
  }));
  if (changed && reply.size > 0) handle.noteIndex(changed.name);
  return reply;
}

function invalid(message: string): CodedError {
  return new CodedError('InvalidOptions', message);
}

/** Carries out a collMod of a view. */
export async function modifyView(
  namespaces: Namespaces,
  view: CollectionInfo,
  change: CollectionChange,
): Promise<void> {
  const expires = change.expireAfterSeconds === undefined ? [] : ['expireAfterSeconds'];
  const [wrong] = [...(change.index ? ['index'] : []), ...Object.keys(change.options), ...expires];
  if (wrong) throw invalid(`option not supported on a view: ${wrong}`);
  if (change.capped) throw invalid('Collection must be capped.');
  const { on, pipeline } = change.view ?? {};
  const options: Doc = new Map(view.options);
  if (on !== undefined) options.set('viewOn', on);
  if (pipeline) options.set('pipeline', [...pipeline]);
  if (!change.dryRun) await namespaces.redefineView(view.ns, options);
}

function checkCombination(change: CollectionChange): void {
  if (change.view) throw invalid(`option only supported on a view: ${change.view.on ? 'viewOn' : 'pipeline'}`);
  const index: Partial<IndexChange> = change.index ?? {};
  const asked = Object.values({ ...index, name: undefined, key: undefined }).filter((value) => value !== undefined);
  const expires = change.expireAfterSeconds === undefined ? 0 : 1;
  const others = Object.keys(change.options).length + expires + asked.length;
  if (index.prepareUnique !== undefined && others > 1) {
    throw invalid('prepareUnique cannot be combined with any other modification.');
  }
  if (change.dryRun && others > 1) {
    throw invalid('unique: true cannot be combined with any other modification in dry run mode.');
  }
}

/** The options with what was changed; a validator comes with its level and action written out. */
function changedOptions(env: Env, { ns, options }: CollectionInfo, change: CollectionChange): Doc {
  const changed: Doc = new Map(options);
  for (const [name, value] of Object.entries(change.options)) changed.set(name, value);
  if (change.expireAfterSeconds !== undefined) {
    if (!options.has('clusteredIndex')) {
      throw invalid("'expireAfterSeconds' option is only supported on collections clustered by _id");
    }
    if (change.expireAfterSeconds === 'off') changed.delete('expireAfterSeconds');
    else changed.set('expireAfterSeconds', toValue(change.expireAfterSeconds));
  }
  const { validator } = change.options;
  if (validator) {
    checkValidator(env, ns, validator);
    if (validator.size === 0) changed.delete('validator');
    if (!changed.has('validationLevel')) changed.set('validationLevel', 'strict');
    if (!changed.has('validationAction')) changed.set('validationAction', 'error');
  }
  for (const [name, value] of Object.entries(change.capped ?? {})) {
    if (value !== undefined) changed.set(name, toValue(value));
  }
  return changed;
}

/** The index as it is to be; `reply` is told what changes. */
async function changedIndex(handle: CollectionHandle, change: IndexChange, reply: Doc): Promise<IndexSpec> {
  const { expireAfterSeconds, hidden, unique, prepareUnique } = change;
  const { options } = handle.info;
  if (expireAfterSeconds !== undefined && options.get('capped') === true) {
    throw invalid('TTL indexes are not supported for capped collections.');
  }
  if (hidden !== undefined) checkHideable(options.get('clusteredIndex'), change);
  const index = find(handle.info, change);
  const spec: Doc = new Map(index.spec);
  if (expireAfterSeconds !== undefined) {
    checkExpires(index);
    const old = spec.get('expireAfterSeconds');
    if (old !== undefined) reply.set('expireAfterSeconds_old', BigInt(Math.trunc(Number(old))));
    reply.set('expireAfterSeconds_new', BigInt(expireAfterSeconds));
    spec.set('expireAfterSeconds', toValue(expireAfterSeconds));
  }
  if (hidden !== undefined) {
    if (index.name === '_id_') throw new CodedError('BadValue', "can't hide _id index");
    toggle(spec, 'hidden', hidden, reply);
  }
  if (unique === false) throw new CodedError('BadValue', 'Cannot make index non-unique');
  if (prepareUnique !== undefined && !isOn(spec, 'unique')) toggle(spec, 'prepareUnique', prepareUnique, reply);
  if (unique !== undefined && !isOn(spec, 'unique')) {
    if (!isOn(spec, 'prepareUnique')) {
      throw invalid("Cannot make index unique with 'prepareUnique=false'. Run collMod to set it first.");
    }
    await checkUnique(handle, index.name);
    spec.delete('prepareUnique');
    spec.set('unique', true);
    reply.set('unique_new', true);
  }
  return indexSpec(spec);
}

function checkHideable(clustered: Value, { name, key }: IndexChange): void {
  if (!(clustered instanceof Map)) return;
  if (key ? !equal(key, clustered.get('key')) : name !== clustered.get('name')) return;
  throw located(6011800, "The 'hidden' option is not supported for a clusteredIndex");
}

function find({ ns, indexes }: CollectionInfo, { name, key }: IndexChange): IndexSpec {
  const found = indexes.filter((index) => (key ? equal(index.key, key) : index.name === name));
  const asked = key ? showDoc(key) : name;
  if (found.length > 1) {
    const [first, second] = found.map(({ spec }) => showDoc(spec));
    throw new CodedError(
      'AmbiguousIndexKeyPattern',
      `index keyPattern ${asked} matches ${found.length} indexes, must use index name. Conflicting indexes:${first}, ${second}`,
    );
  }
  const [index] = found;
  if (!index) throw new CodedError('IndexNotFound', `cannot find index ${asked} for ns ${nsText(ns)}`);
  return index;
}

function checkExpires({ name, key, spec }: IndexSpec): void {
  if (spec.has('expireAfterSeconds')) return;
  if (name === '_id_') throw invalid('the _id field does not support TTL indexes');
  if (key.size !== 1) throw invalid('TTL indexes are single-field indexes, compound indexes do not support TTL');
}

function isOn(spec: Doc, option: string): boolean {
  return spec.get(option) === true;
}

/** What is so already is not told of. */
function toggle(spec: Doc, option: 'hidden' | 'prepareUnique', on: boolean, reply: Doc): void {
  const old = isOn(spec, option);
  if (old === on) return;
  reply.set(`${option}_old`, old);
  reply.set(`${option}_new`, on);
  if (on) spec.set(option, true);
  else spec.delete(option);
}

/** Throws CannotConvertIndexToUnique with the `_id`s of the documents that have keys in common. */
async function checkUnique(handle: CollectionHandle, name: string): Promise<void> {
  const { collection, reader } = await handle.load();
  const groups: number[][] = [];
  let last: { key: string; records: number[] } | undefined;
  for (const { key, recordId } of collection.secondary.get(name)?.index.scan() ?? []) {
    if (last?.key === key) {
      if (last.records.push(recordId) === 2) groups.push(last.records);
    } else last = { key, records: [recordId] };
  }
  if (groups.length === 0) return;
  const slots = groups.map((records) => records.flatMap((recordId) => collection.slot(recordId) ?? []));
  const read = await reader.readAll(slots.flat());
  let bytes = 0;
  const violations: Value[] = [];
  for (const group of slots) {
    const ids: Value[] = [];
    for (const slot of group) {
      bytes += slot.idKey.length;
      const found = read.get(slot);
      if (found) ids.push(decode(found.bytes).get('_id'));
    }
    violations.push(new Map([['ids', ids]]));
    if (bytes > MAX_VIOLATION_BYTES) break;
  }
  const advice =
    bytes > MAX_VIOLATION_BYTES
      ? 'Too many conflicting documents were detected. Please resolve them and rerun collMod.'
      : 'Please resolve conflicting documents before running collMod again.';
  throw new CodedError('CannotConvertIndexToUnique', `Cannot convert the index to unique. ${advice}`, [
    ['violations', violations],
  ]);
}
