import { CodedError } from '../../base/index.ts';
import { Binary, type Value } from '../../bson/index.ts';
import type { Engine, Namespace, WriteResult } from '../../engine/index.ts';
import { type Field, wrongType } from '../fields.ts';

/** The collection that a client means, whatever has its name by now. */
export const collectionUuid = (): Field<Binary | undefined> => ({
  absent: () => undefined,
  parse(value: Value, path) {
    if (!(value instanceof Binary)) throw wrongType(value, path, ['binData']);
    if (value.sub_type === Binary.SUBTYPE_UUID) return value;
    throw new CodedError(
      'TypeMismatch',
      `BSON field '${path}' is the wrong binData type '${SUBTYPES.get(value.sub_type) ?? 'general'}', expected type 'UUID'`,
    );
  },
});

const SUBTYPES: ReadonlyMap<number, string> = new Map([
  [1, 'function'],
  [2, 'binary'],
  [3, 'UUID (deprecated)'],
  [5, 'MD5'],
  [6, 'encrypted'],
]);

/** CollectionUUIDMismatch where the name does not stand for the collection that is meant. */
export function uuidMismatch(engine: Engine, ns: Namespace, meant: Binary | undefined): CodedError | undefined {
  if (!meant) return undefined;
  const isMeant = (uuid: Uint8Array) => Buffer.compare(uuid, meant.buffer) === 0;
  const named = engine.collection(ns);
  if (named && isMeant(named.uuid)) return undefined;
  const actual = engine.collections(ns.db).find(({ uuid }) => isMeant(uuid));
  return new CodedError('CollectionUUIDMismatch', 'Collection UUID does not match that specified', [
    ['db', ns.db],
    ['collectionUUID', meant],
    ['expectedCollection', ns.coll],
    ['actualCollection', actual?.ns.coll ?? null],
  ]);
}

export function checkUuid(engine: Engine, ns: Namespace, meant: Binary | undefined): void {
  const mismatch = uuidMismatch(engine, ns, meant);
  if (mismatch) throw mismatch;
}

/** What comes of `count` statements on a collection that is not the one that is meant. */
export function allFail(error: CodedError, count: number, ordered: boolean): WriteResult {
  const errors = Array.from({ length: ordered ? 1 : count }, (_, index) => ({ index, error }));
  return { n: 0, nModified: 0, upserted: [], errors, retriedStmtIds: [], durable: Promise.resolve() };
}
