import { CodedError, type Env } from '../../base/index.ts';
import { type Doc, decode, encodeKey, getField, doc as literal, type Value } from '../../bson/index.ts';
import { duplicateKeyError } from '../../indexes/index.ts';
import type { Log } from '../../log/index.ts';
import { type Collection, duplicateKey, nsText } from '../collection.ts';
import type { Namespace } from '../contract.ts';
import { checkInsertable, encodeWithIdFirst } from '../document-id.ts';
import { buildIndex, type Loaded } from '../handle.ts';
import type { Namespaces } from '../namespaces.ts';

/** Up to here old and new documents together fit into one record, whatever their `_id`s are. */
const IN_PLACE_BYTES_MAX = 16 * 1024 * 1024;
/** A log's entry takes no more beside its document. */
const ENTRY_BYTES = 16;
/** Documents handed to the new log together. */
const GROUP_DOCUMENTS = 1000;

/**
 * `$out`: the old documents go and the new ones come in one step; options and indexes stay. Where one record holds both,
 * that is one commit; else the new ones are written to a channel of their own before they count. What is wrong with the
 * new documents is found before anything goes.
 */
export async function replaceContent(
  env: Env,
  namespaces: Namespaces,
  ns: Namespace,
  docs: readonly Doc[],
  bypassValidation: boolean | undefined,
): Promise<void> {
  const encoded = docs.map((doc) => checkInsertable(encodeWithIdFirst(doc, env)));
  // No collection is made of what could not be its content.
  if (!namespaces.handle(ns)) checkIds(ns, encoded, (id) => encodeKey(id, false, undefined), undefined);
  const handle = await namespaces.ensure(ns);
  const loaded = await handle.load();
  const { collection, cap } = loaded;
  if (cap) throw new CodedError('Location17152', `namespace '${nsText(ns)}' is capped so it can't be used for $out`);
  if (!bypassValidation) for (const doc of docs) loaded.validation?.check(doc);
  checkUnique(ns, loaded, encoded);
  if (isMuch(collection, encoded)) return namespaces.replace(handle, (log) => fill(log, loaded, encoded));
  await collection.log.room();
  collection.checkAlive();
  for (const slot of [...collection.scan()]) collection.vanish(slot);
  for (const bytes of encoded) collection.insert(bytes, () => decode(bytes));
  await collection.commit([]);
}

function isMuch({ count, dataSize }: Collection, encoded: readonly Uint8Array[]): boolean {
  const bytes = encoded.reduce((sum, document) => sum + document.length, dataSize);
  return bytes + (count + encoded.length) * ENTRY_BYTES > IN_PLACE_BYTES_MAX;
}

/** A repeated write of before is still answered by what it did then. */
async function fill(log: Log, { retries }: Loaded, encoded: readonly Uint8Array[]): Promise<void> {
  let durable = Promise.resolve();
  for (let from = 0; from < encoded.length; from += GROUP_DOCUMENTS) {
    await log.room();
    const group = encoded.slice(from, from + GROUP_DOCUMENTS);
    ({ durable } = log.append(group.map((bytes, at) => ({ op: 'put', recordId: from + at + 1, bytes }))));
    durable.catch(() => {});
  }
  await durable;
  await log.append([], retries.marks()).durable;
}

/** Tries the documents in empty indexes of the same kind. Throws what the collection's own would throw. */
function checkUnique(ns: Namespace, { collection }: Loaded, encoded: readonly Uint8Array[]): void {
  const trials = [...collection.secondary.values()].map(({ spec }) => ({ spec, index: buildIndex(spec) }));
  checkIds(ns, encoded, (id) => collection.ids.keyOf(id), collection.ids.collation);
  for (const [at, bytes] of encoded.entries()) {
    const recordId = at + 1;
    for (const { spec, index } of trials) {
      const prepared = index.prepare(decode(bytes));
      const conflict = index.conflict(recordId, prepared);
      if (conflict) throw duplicateKey(ns, spec, conflict.keyValue);
      index.insert(recordId, prepared);
    }
  }
}

function checkIds(
  ns: Namespace,
  encoded: readonly Uint8Array[],
  keyOf: (id: Value) => string,
  collation: Doc | undefined,
): void {
  const ids = new Set<string>();
  for (const bytes of encoded) {
    const id = getField(bytes, '_id');
    const key = keyOf(id);
    if (ids.has(key)) {
      throw duplicateKeyError(
        nsText(ns),
        { name: '_id_', key: literal({ _id: 1 }), collation },
        new Map([['_id', id]]),
      );
    }
    ids.add(key);
  }
}
