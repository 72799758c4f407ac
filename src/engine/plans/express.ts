import { type Doc, doc as literal, showDoc, typeAlias, type Value } from '../../bson/index.ts';
import { kindOf } from '../../indexes/index.ts';
import { conjuncts, type Filter, type FilterNode, filterTree } from '../../query/index.ts';
import { comparesAlike, isFoundIn } from '../collation.ts';
import type { Collection } from '../collection.ts';
import type { FindQuery, IndexSpec } from '../contract.ts';
import { implies } from '../implies.ts';

/** How `explain` shows a query that MongoDB 8 answers without planning it: by one lookup in an index. */
export interface Express {
  readonly stage: 'EXPRESS_IXSCAN' | 'EXPRESS_CLUSTERED_IXSCAN';
  /** As a text, for MongoDB 8.0 shows it so. */
  readonly keyPattern?: string;
  readonly indexName?: string;
}

/** Undefined for a query that is planned (`isExpressEligible` and `getIndexForExpressEquality` of MongoDB 8.0). */
export function expressOf(collection: Collection, query: FindQuery, filter: Filter): Express | undefined {
  const { hint, min, max, skip, showRecordId, returnKey, tailable, distinct } = query;
  if (hint || min?.size || max?.size || skip > 0) return undefined;
  if (showRecordId || returnKey || tailable || distinct !== undefined) return undefined;
  const equality = soleEquality(filter);
  if (!equality) return undefined;
  if (isPoint(equality, filter, collection) && isSimple(query.projection ?? new Map())) {
    return collection.clustered ? { stage: 'EXPRESS_CLUSTERED_IXSCAN' } : shown({ name: '_id_', key: ID_KEY });
  }
  if (query.projection?.size || query.sort?.size || query.paths || collection.clustered) return undefined;
  return byIndex(collection, query.limit === 1, filter, equality);
}

/** Whole fields in or out, and nothing else. */
export function isSimple(projection: Doc): boolean {
  return [...projection].every(
    ([path, value]) =>
      !path.includes('.') && !path.includes('$') && !(value instanceof Map) && typeof value !== 'string',
  );
}

type LeafNode = Extract<FilterNode, { kind: 'leaf' }>;

const ID_KEY: Doc = literal({ _id: 1 });

/** Types of which a key tells no more than that a value may be there (`Indexability::isExactBoundsGenerating`). */
const INEXACT: ReadonlySet<string> = new Set(['null', 'undefined', 'array', 'regex', 'dbPointer', 'symbol']);

function soleEquality(filter: Filter): LeafNode | undefined {
  const [node, another] = conjuncts(filterTree(filter.source));
  if (another || node?.kind !== 'leaf' || node.operator !== '$eq' || INEXACT.has(typeAlias(node.operand)))
    return undefined;
  return node;
}

/** Whether the filter is of an `_id` and written without an operator (`isSimpleIdQuery`). */
function isPoint({ path }: LeafNode, { source, collator }: Filter, { ids }: Collection): boolean {
  const value = source.get('_id');
  const isOperator = value instanceof Map && value.keys().next().value?.startsWith('$');
  return path === '_id' && !isOperator && comparesAlike(collator, ids.collation);
}

/** An index that finds the one document that there can be, or that is wanted: of several the one with the fewest fields. */
function byIndex(
  collection: Collection,
  isOne: boolean,
  filter: Filter,
  { path, operand }: LeafNode,
): Express | undefined {
  const { collator, source } = filter;
  if (path === '_id' && isFoundIn(operand, collator, collection.ids.collation))
    return shown({ name: '_id_', key: ID_KEY });
  let best: IndexSpec | undefined;
  for (const { spec, ready } of collection.secondary.values()) {
    const { key } = spec;
    const option = (name: string): Value => spec.spec.get(name);
    if (!ready || option('hidden') === true || kindOf(key).name !== 'btree' || key.keys().next().value !== path)
      continue;
    if (!isFoundIn(operand, collator, option('collation') as Doc | undefined)) continue;
    const partial = option('partialFilterExpression');
    if (partial instanceof Map && !implies(source, partial, collator)) continue;
    const isUnique = spec.unique && key.size === 1;
    if ((isUnique || isOne) && key.size < (best?.key.size ?? Number.POSITIVE_INFINITY)) best = spec;
  }
  return best && shown(best);
}

function shown({ name, key }: Pick<IndexSpec, 'name' | 'key'>): Express {
  return { stage: 'EXPRESS_IXSCAN', keyPattern: showDoc(key), indexName: name };
}
