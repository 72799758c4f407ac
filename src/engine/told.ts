import { compileSortKey, type Metadata, type Told, withMore } from '../query/index.ts';
import type { FindQuery } from './contract.ts';
import type { Found } from './found.ts';
import type { Plan } from './plans/plan.ts';

/**
 * What `$meta` is told of each match: what its plan knows, and of the rest what somebody asks for. As in MongoDB, a
 * document found by equality of `_id` has no key of an index, but where `returnKey` asks for it.
 */
export function teller(
  query: Pick<FindQuery, 'sort' | 'context'>,
  plan: Plan | undefined,
  asked: ReadonlySet<Told>,
): (found: Found) => Metadata | undefined {
  if (asked.size === 0) return ({ meta }) => meta;
  const sortKey = asked.has('sortKey') && query.sort && compileSortKey(query.sort, query.context.collator);
  const indexKey = asked.has('indexKey') && plan?.stage !== 'IDHACK' ? plan?.indexKey?.bind(plan) : undefined;
  return ({ recordId, doc, meta }) =>
    withMore(meta, {
      recordId: asked.has('recordId') ? BigInt(recordId) : undefined,
      indexKey: indexKey?.(doc),
      sortKey: sortKey ? sortKey(doc, meta) : undefined,
    });
}
