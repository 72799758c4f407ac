import { CodedError } from '../base/index.ts';
import { type Doc, showDoc } from '../bson/index.ts';

export interface UniqueIndex {
  readonly name: string;
  readonly key: Doc;
  /** As `listIndexes` shows it. */
  readonly collation?: Doc | undefined;
}

/** The error of a unique index in the server's words, which libraries take apart. `ns` is `db.collection`. */
export function duplicateKeyError(ns: string, index: UniqueIndex, keyValue: Doc): CodedError {
  const { name, key, collation } = index;
  const ordered = collation ? ` collation: ${showDoc(collation)}` : '';
  return new CodedError(
    'DuplicateKey',
    `E11000 duplicate key error collection: ${ns} index: ${name}${ordered} dup key: ${showDoc(keyValue)}`,
    [['keyPattern', key], ['keyValue', keyValue], ...(collation ? [['collation', collation] as [string, Doc]] : [])],
  );
}
