import { CodedError } from '../../base/index.ts';
import { compare, type Doc, identical } from '../../bson/index.ts';
import type { QueryContext, Updater } from '../types.ts';
import { element, isArray } from '../value.ts';
import { withTimestamps } from './empty-timestamps.ts';
import { checkDollarField, checkStoredId } from './storable.ts';

/** Compiles a whole new document. The old `_id` stays when the new one has none. */
export function compileReplacement(given: Doc, context: QueryContext): Updater {
  const replacement = withTimestamps(given, context);
  return {
    kind: 'replacement',
    apply: (doc, { inserting = false }) => replaceDoc(doc, replacement, inserting, checkDollarField),
  };
}

/**
 * The replacement under the old document's `_id`. What is to be inserted is checked for storage later, once it has an
 * `_id`. Throws ImmutableField or NotSingleValueField when it brings another one, and what `checkField` throws of the
 * other fields.
 */
export function replaceDoc(
  doc: Doc,
  replacement: Doc,
  inserting: boolean,
  checkField?: (doc: Doc, name: string) => void,
): Doc {
  const result: Doc =
    doc.has('_id') && !replacement.has('_id') ? new Map([['_id', doc.get('_id')], ...replacement]) : replacement;
  if (identical(doc, result)) return doc;
  if (!inserting) {
    for (const name of result.keys()) {
      if (name === '_id') checkStoredId(result);
      else checkField?.(result, name);
    }
  }
  checkSameId(doc, result);
  return result;
}

function checkSameId(doc: Doc, result: Doc): void {
  const id = result.get('_id');
  if (isArray(id)) {
    throw new CodedError(
      'NotSingleValueField',
      "After applying the update to the document, the (immutable) field '_id' was found to be an array or array descendant.",
    );
  }
  if (!doc.has('_id') || compare(doc.get('_id'), id) === 0) return;
  throw new CodedError(
    'ImmutableField',
    `After applying the update, the (immutable) field '_id' was found to have been altered to ${element('_id', id)}`,
  );
}
