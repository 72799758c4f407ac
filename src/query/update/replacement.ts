import { CodedError } from '../../base/index.ts';
import { compare, type Doc, identical } from '../../bson/index.ts';
import type { QueryContext, Updater } from '../types.ts';
import { element } from '../value.ts';
import { withTimestamps } from './empty-timestamps.ts';

/** Compiles a whole new document. The old `_id` stays when the new one has none. */
export function compileReplacement(given: Doc, context: QueryContext): Updater {
  const replacement = withTimestamps(given, context);
  for (const name of replacement.keys()) {
    if (name.startsWith('$')) {
      throw new CodedError(
        'DollarPrefixedFieldName',
        `The dollar ($) prefixed field '${name}' in '${name}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`,
      );
    }
  }
  return { kind: 'replacement', apply: (doc) => replaceDoc(doc, replacement) };
}

/** The replacement under the old document's `_id`. Throws ImmutableField when it brings another one. */
export function replaceDoc(doc: Doc, replacement: Doc): Doc {
  const result = withId(doc, replacement);
  return identical(doc, result) ? doc : result;
}

function withId(doc: Doc, replacement: Doc): Doc {
  if (!doc.has('_id')) return replacement;
  const old = doc.get('_id');
  if (!replacement.has('_id')) return new Map([['_id', old], ...replacement]);
  const given = replacement.get('_id');
  if (compare(old, given) !== 0) {
    throw new CodedError(
      'ImmutableField',
      `After applying the update, the (immutable) field '_id' was found to have been altered to ${element('_id', given)}`,
    );
  }
  return replacement;
}
