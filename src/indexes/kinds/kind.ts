import { CodedError } from '../../base/index.ts';
import type { ArrayParts, Doc, TextKeys, Value } from '../../bson/index.ts';

/** One key of a document in an index. */
export interface IndexKey {
  /** What orders it in the index; no key of an index may be the beginning of another one. Mostly the fields as `encodeKey` makes them, one after the other. */
  readonly key: string;
  /** One for each field of the key pattern, as errors show them. */
  readonly values: readonly Value[];
}

/** What one document puts into one index. */
export interface DocumentKeys {
  /** None where the index leaves the document out. The same key may come twice. */
  readonly keys: readonly IndexKey[];
  /** Where the fields of the key pattern met arrays, undefined where none did: what an index is multikey in. */
  readonly arrays: ArrayParts | undefined;
  /** The same for a kind whose keys have paths of the document's own: those that were arrays. */
  readonly arrayPaths?: ReadonlySet<string>;
}

/** Makes the keys of documents for one index. Pure: the same document always has the same keys. */
export interface KeyGenerator {
  /** Throws a CodedError for a document that the index cannot hold, as MongoDB does at the insert. */
  keys(doc: Doc): DocumentKeys;
}

/**
 * A kind of index: what its definition may say, and which keys a document has in it. A kind is one file in this folder
 * and one row of `table.ts`; how queries go by it is an access path in `engine/plans/`.
 *
 * A definition is the document that `createIndexes` was given: `key`, `name` and options. What is common to all kinds
 * (names of fields and options, `unique`, `sparse`, `partialFilterExpression`, `expireAfterSeconds`, `hidden`) was checked before and
 * is done by others: `unique` and `partialFilterExpression` by the index, the rest by the engine.
 */
export interface IndexKind {
  /** MongoDB's name of the plugin, `btree` for ascending and descending keys. */
  readonly name: string;
  /** A collection may have no more than one of this kind. */
  readonly single?: true;
  /** Throws a CodedError (CannotCreateIndex, mostly) for a definition that this kind cannot have. */
  check(definition: Doc): void;
  /** The definition as it is kept, listed and compared with others: with what the kind fills in, such as versions. */
  complete(definition: Doc): Doc;
  /** `definition` is complete. `texts` makes the keys of strings where the index has a collation. */
  generator(definition: Doc, texts?: TextKeys): KeyGenerator;
}

/** Whether documents with none of an index's fields are left out, as `sparse` asks for. */
export function isSparse(definition: Doc): boolean {
  return definition.get('sparse') === true;
}

/** Throws for a key pattern that names another kind, too. */
export function checkSolePlugin(definition: Doc, name: string): void {
  const pattern = definition.get('key') as Doc;
  if ([...pattern.values()].every((direction) => typeof direction !== 'string' || direction === name)) return;
  throw new CodedError('CannotCreateIndex', "Can't use more than one index plugin for a single index.");
}
