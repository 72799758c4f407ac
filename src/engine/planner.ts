import { CodedError } from '../base/index.ts';
import { BSONRegExp, type Doc, equal, identical, doc as literal, type Value } from '../bson/index.ts';
import { conjuncts, type Filter, filterTree, showAll } from '../query/index.ts';
import { isFoundIn } from './collation.ts';
import { type Collection, nsText } from './collection.ts';
import { checkBetween, planBetween } from './plans/between.ts';
import { conditionsOf } from './plans/condition.ts';
import { byGeoIndex } from './plans/geo.ts';
import { byOrderedIndex } from './plans/ordered.ts';
import type { AccessPath, Choice, Offer, Plan, PlanQuery, PlanRequest } from './plans/plan.ts';
import { stageDoc } from './plans/stage.ts';
import { byText } from './plans/text.ts';
import { countPaths } from './plans/wildcard.ts';

export type { Plan, PlanRequest } from './plans/plan.ts';

const ACCESS_PATHS: readonly AccessPath[] = [byText, byOrderedIndex, byGeoIndex];

/** 1 or -1 where a sort or a hint is `{$natural: ±1}`. */
export function naturalOrder(spec: string | Doc | undefined): 1 | -1 | undefined {
  if (!(spec instanceof Map) || !spec.has('$natural')) return undefined;
  return Number(spec.get('$natural')) < 0 ? -1 : 1;
}

/** The plan of a query, and those that lost to it, for `explain`. */
export interface Planned {
  readonly plan: Plan;
  readonly rejected: readonly Plan[];
}

export function planQuery(collection: Collection, filter: Filter, request: PlanRequest): Plan {
  return weighPlans(collection, filter, request).plan;
}

export function weighPlans(collection: Collection, filter: Filter, request: PlanRequest): Planned {
  const { sort, hint, skip = 0, limit = 0 } = request;
  checkBetween(request);
  const wantsOrder = sort !== undefined && sort.size > 0;
  const natural = naturalOrder(hint) ?? naturalOrder(sort);
  if (filter.text) checkText(hint, sort);
  if (natural && filter.near) {
    const where = naturalOrder(sort) ? 'sort order' : 'hint';
    throw new CodedError('BadValue', `geoNear expression not allowed with $natural ${where}`);
  }
  if (natural) {
    return alone(collectionScan(collection, filter, natural, !wantsOrder || naturalOrder(sort) === natural));
  }
  const hinted = hint === undefined ? undefined : findHinted(collection, hint);
  const id = hinted || filter.text || filter.near ? undefined : soughtId(filter.source);
  if (id && isFoundIn(id.value, filter.collator, collection.ids.collation))
    return alone(idLookup(collection, filter, id.value));
  const nodes = conjuncts(filterTree(filter.source));
  const query: PlanQuery = {
    collection,
    filter,
    conjuncts: nodes,
    conditions: conditionsOf(nodes),
    sort: wantsOrder ? sort : undefined,
    wanted: limit === 0 ? Number.POSITIVE_INFINITY : skip + limit,
    choices: hinted ? [hinted] : choices(collection),
    hinted: hinted !== undefined,
  };
  if (hinted && (request.min?.size || request.max?.size)) {
    return alone(planBetween(query, request, (codeName, why) => planError(collection, codeName, why)));
  }
  let best: Offer | undefined;
  for (const path of ACCESS_PATHS) {
    for (const offer of path.offers(query)) if (offer.score > (best?.score ?? 0)) best = offer;
  }
  if (best) return { plan: best.plan, rejected: best.rejected ?? [] };
  if (hinted) {
    const why =
      countPaths(hinted, nodes) === 1
        ? "$hint: refusing to build whole-index solution, because it's a wildcard index"
        : 'No query solutions';
    throw planError(collection, 'NoQueryExecutionPlans', why);
  }
  return alone(collectionScan(collection, filter, 1, !wantsOrder));
}

function alone(plan: Plan): Planned {
  return { plan, rejected: [] };
}

/** The `_id` that every match has. An array matches by its elements too, and a document may be operators. */
function soughtId(filter: Doc): { readonly value: Value } | undefined {
  const given = filter.get('_id');
  const value = given instanceof Map && given.has('$eq') ? given.get('$eq') : given;
  if (given === undefined || Array.isArray(value) || value instanceof BSONRegExp) return undefined;
  if (value instanceof Map && [...value.keys()][0]?.startsWith('$')) return undefined;
  return { value };
}

/** What MongoDB lets no query with `$text` have. */
function checkText(hint: PlanRequest['hint'], sort: Doc | undefined): void {
  if (naturalOrder(sort)) throw new CodedError('BadValue', 'text expression not allowed with $natural sort order');
  if (hint !== undefined) throw new CodedError('BadValue', 'text and hint not allowed in same query');
}

function findHinted(collection: Collection, hint: string | Doc): Choice {
  const [found, other] = choices(collection).filter(({ name, key }) =>
    typeof hint === 'string' ? name === hint : equal(key, hint),
  );
  if (!found) throw planError(collection, 'BadValue', 'hint provided does not correspond to an existing index');
  if (!other) return found;
  const matched = `Matched: ${found.name} and ${other.name}`;
  throw planError(collection, 'IndexNotFound', `Hint matched multiple indexes, must hint by index name. ${matched}`);
}

function planError(collection: Collection, codeName: string, why: string): CodedError {
  return new CodedError(
    codeName,
    `error processing query: ns=${nsText(collection.ns)} planner returned error :: caused by :: ${why}`,
  );
}

/** A hidden index is kept up, and is none to a query, not even to one that names it. */
function choices(collection: Collection): Choice[] {
  const idKey: Doc = literal({ _id: 1 });
  const id = {
    name: '_id_',
    key: idKey,
    spec: new Map(),
    collation: collection.ids.collation,
    arrays: undefined,
    index: () => collection.ids.inOrder(),
  };
  const all: Choice[] = [id];
  for (const { spec, index, ready } of collection.secondary.values()) {
    if (!ready || spec.spec.get('hidden') === true) continue;
    const collation = spec.spec.get('collation') as Doc | undefined;
    const { name, key } = spec;
    all.push({ name, key, spec: spec.spec, collation, arrays: index.arrays, index: () => index });
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
      collection.indexUses.count('_id_');
      const slot = collection.ids.get(id);
      return slot ? [slot] : [];
    },
    indexKey: (doc) => new Map([['_id', doc.get('_id')]]),
    describe: (ran) =>
      stageDoc('IDHACK', {
        work: ran && { advanced: ran.matched, works: 1 },
        fields: ran && { keysExamined: ran.docsExamined, docsExamined: ran.docsExamined },
      }),
  };
}

function collectionScan(collection: Collection, filter: Filter, direction: 1 | -1, sorted: boolean): Plan {
  return {
    stage: 'COLLSCAN',
    sorted,
    exact: false,
    keysExamined: 0,
    slots: () => collection.scan(direction === -1),
    describe: (ran) =>
      stageDoc('COLLSCAN', {
        filter: showAll(conjuncts(filterTree(filter.source))),
        work: ran && { advanced: ran.matched, works: ran.docsExamined + 1 },
        fields: {
          direction: direction === 1 ? 'forward' : 'backward',
          docsExamined: ran?.docsExamined,
        },
      }),
  };
}
