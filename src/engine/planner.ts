import { CodedError } from '../base/index.ts';
import { type Doc, encodeKey, equal, identical, doc as literal, type Value } from '../bson/index.ts';
import { type Filter, fieldPredicates } from '../query/index.ts';
import { type Collection, nsText } from './collection.ts';
import { byOrderedIndex } from './plans/ordered.ts';
import type { AccessPath, Choice, Offer, Plan, PlanRequest } from './plans/plan.ts';

export type { Plan, PlanRequest } from './plans/plan.ts';

const ACCESS_PATHS: readonly AccessPath[] = [byOrderedIndex];

/** 1 or -1 where a sort or a hint is `{$natural: ±1}`. */
export function naturalOrder(spec: string | Doc | undefined): 1 | -1 | undefined {
  if (!(spec instanceof Map) || !spec.has('$natural')) return undefined;
  return Number(spec.get('$natural')) < 0 ? -1 : 1;
}

export function planQuery(collection: Collection, filter: Filter, { sort, hint }: PlanRequest): Plan {
  const wantsOrder = sort !== undefined && sort.size > 0;
  const natural = naturalOrder(hint) ?? naturalOrder(sort);
  if (natural) return collectionScan(collection, filter, natural, !wantsOrder || naturalOrder(sort) === natural);
  const hinted = hint === undefined ? undefined : findHinted(collection, hint);
  const id = fieldPredicates(filter.source).get('_id');
  if (!hinted && id && 'eq' in id && !Array.isArray(id.eq)) return idLookup(collection, filter, id.eq as Value);
  const query = {
    collection,
    filter,
    sort: wantsOrder ? sort : undefined,
    choices: hinted ? [hinted] : choices(collection),
    hinted: hinted !== undefined,
  };
  let best: Offer | undefined;
  for (const path of ACCESS_PATHS) {
    for (const offer of path.offers(query)) if (offer.score > (best?.score ?? 0)) best = offer;
  }
  return best?.plan ?? collectionScan(collection, filter, 1, !wantsOrder);
}

function findHinted(collection: Collection, hint: string | Doc): Choice {
  const found = choices(collection).find(({ name, key }) =>
    typeof hint === 'string' ? name === hint : equal(key, hint),
  );
  if (found) return found;
  throw new CodedError(
    'BadValue',
    `error processing query: ns=${nsText(collection.ns)} planner returned error :: caused by :: ` +
      'hint provided does not correspond to an existing index',
  );
}

/** A hidden index is kept up, and is none to a query, not even to one that names it. */
function choices(collection: Collection): Choice[] {
  const idKey: Doc = literal({ _id: 1 });
  const id = { name: '_id_', key: idKey, spec: new Map(), arrays: undefined, index: () => collection.idOrder() };
  const all: Choice[] = [id];
  for (const { spec, index, ready } of collection.secondary.values()) {
    if (!ready || spec.spec.get('hidden') === true) continue;
    all.push({ name: spec.name, key: spec.key, spec: spec.spec, arrays: index.arrays, index: () => index });
  }
  return all;
}

function idLookup(collection: Collection, filter: Filter, id: Value): Plan {
  const alone = filter.source.size === 1 && identical(filter.source.get('_id') as Value, id);
  return {
    stage: 'IDHACK',
    sorted: true,
    exact: alone,
    slots() {
      const slot = collection.byId(encodeKey(id));
      return slot ? [slot] : [];
    },
    describe: () => literal({ stage: 'IDHACK' }),
  };
}

function collectionScan(collection: Collection, filter: Filter, direction: 1 | -1, sorted: boolean): Plan {
  return {
    stage: 'COLLSCAN',
    sorted,
    exact: false,
    slots: () => collection.scan(direction === -1),
    describe: () =>
      literal({
        stage: 'COLLSCAN',
        filter: filter.source.size > 0 ? filter.source : undefined,
        direction: direction === 1 ? 'forward' : 'backward',
      }),
  };
}
