import { CodedError } from '../base/index.ts';
import { type Doc, showDoc } from '../bson/index.ts';

/** The error of a unique index in the server's words, which libraries take apart. `ns` is `db.collection`. */
export function duplicateKeyError(ns: string, indexName: string, keyPattern: Doc, keyValue: Doc): CodedError {
  return new CodedError(
    'DuplicateKey',
    `E11000 duplicate key error collection: ${ns} index: ${indexName} dup key: ${showDoc(keyValue)}`,
    [
      ['keyPattern', keyPattern],
      ['keyValue', keyValue],
    ],
  );
}
