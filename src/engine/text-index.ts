import { CodedError } from '../base/index.ts';
import { kindOf } from '../indexes/index.ts';
import type { QueryContext } from '../query/index.ts';
import { type TextDefinition, textDefinition } from '../text/index.ts';
import { nsText } from './collection.ts';
import type { CollectionInfo, Namespace } from './contract.ts';

/** The same query or options, with what `$text` in them searches. */
export function searching<Query extends { readonly context: QueryContext }>(
  query: Query,
  ns: Namespace,
  info: CollectionInfo | undefined,
): Query {
  return { ...query, context: { ...query.context, textIndex: () => definitionOf(ns, info) } };
}

/** Of the text index, even a hidden one: that no plan goes by it is told by the planner. */
function definitionOf(ns: Namespace, info: CollectionInfo | undefined): TextDefinition {
  if (!info) throw absent(` (no such collection '${nsText(ns)}')`);
  const index = info.indexes.find(({ key }) => kindOf(key).name === 'text');
  if (!index) throw absent('');
  return textDefinition(index.spec);
}

function absent(why: string): CodedError {
  return new CodedError('IndexNotFound', `text index required for $text query${why}`);
}
