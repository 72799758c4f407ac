import type { Doc } from '../../bson/index.ts';
import { kindOf } from '../../indexes/index.ts';
import { type FilterNode, showAll } from '../../query/index.ts';
import type { Collection } from '../collection.ts';
import { implies } from '../implies.ts';
import type { Slot } from '../slot.ts';
import { assignBounds, type FieldBounds } from './assign.ts';
import { boundsOf, type Condition } from './condition.ts';
import { indexOrder } from './index-order.ts';
import { IndexScan } from './index-scan.ts';
import type { AccessPath, Choice, Plan, PlanQuery, Ran } from './plan.ts';
import { stageDoc } from './stage.ts';

/** A scan of one index that would answer a query. */
export interface Candidate {
  readonly scan: IndexScan;
  readonly sorted: boolean;
  readonly exact: boolean;
  /** The conjuncts of the filter that the bounds do not settle. */
  readonly residual: readonly FilterNode[];
  /** Fields with one value, or some. */
  readonly points: number;
  /** The filter bounds it, or the index leaves documents out that the filter would refuse. */
  readonly narrow: boolean;
}

/** Entries of a candidate that are counted to weigh it against others. */
const TRIAL_KEYS = 101;

/**
 * Equality, ranges and sorts by ascending and descending keys. Of several candidates the one wins that has the fewest
 * keys to look at, counted up to 101 as they stand; of equal ones the one that gives the sort's order, then the one with
 * more fields bounded by values, then the one with fewer fields, then the older. Nothing else counts, so the same query
 * on the same documents always has the same plan.
 */
export const byOrderedIndex: AccessPath = {
  offers(query) {
    const ranked = rank(candidates(query), query);
    const [best, ...rest] = ranked;
    if (!best) return [];
    const plan = (each: Candidate) => scanPlan(query.collection, each);
    return [{ plan: plan(best), score: 1, rejected: rest.map(plan) }];
  },
};

/** All scans that answer something of the query; the hinted one in any case. */
export function candidates(query: PlanQuery): Candidate[] {
  const { choices, hinted } = query;
  return choices
    .filter((choice) => kindOf(choice.key).name === 'btree' && (hinted || holdsAll(choice, query)))
    .map((choice) => candidate(choice, query))
    .filter(({ narrow, sorted }) => narrow || hinted || (sorted && query.sort));
}

function candidate(choice: Choice, { conditions, conjuncts, sort }: PlanQuery): Candidate {
  const { key, arrays, spec } = choice;
  const assigned = assignBounds([...key.keys()], arrays, conditions);
  const scan = new IndexScan(choice, assigned);
  const order = sort && indexOrder(key, sort, assigned, scan.points, arrays);
  if (order) scan.inOrder(order);
  const settled = arrays ? new Set<FilterNode>() : settledBy(scan, assigned);
  const residual = conjuncts.filter((node) => !settled.has(node));
  return {
    scan,
    sorted: sort === undefined || order !== undefined,
    exact: residual.length === 0,
    residual,
    points: scan.points,
    narrow: scan.bounded > 0 || spec.get('sparse') === true || spec.has('partialFilterExpression'),
  };
}

/** The conjuncts that hold of every key within the bounds. */
function settledBy(scan: IndexScan, assigned: readonly FieldBounds[]): Set<FilterNode> {
  const used = assigned.slice(0, scan.loose ? scan.bounded - 1 : scan.bounded);
  const exact = used.flatMap(({ conditions }) => conditions).filter(({ bounds }) => bounds.exact);
  return new Set(exact.map(({ condition }) => condition.source));
}

/**
 * A partial index lacks what its filter leaves out, a sparse one documents that have none of its fields: a query goes by
 * it unasked only when it wants none of those.
 */
function holdsAll({ key, spec }: Choice, { filter, conditions }: PlanQuery): boolean {
  const partial = spec.get('partialFilterExpression');
  if (partial instanceof Map && !implies(filter.source, partial)) return false;
  if (spec.get('sparse') !== true) return true;
  return conditions.some((condition) => key.has(condition.path) && refusesMissing(condition));
}

function refusesMissing(condition: Condition): boolean {
  return boundsOf(condition, true)?.matchesMissing === false;
}

/** The best first. */
export function rank(all: readonly Candidate[], { wanted, sort }: PlanQuery): Candidate[] {
  if (all.length < 2) return [...all];
  const costs = new Map(all.map((each) => [each, cost(each, sort, wanted)]));
  return [...all].sort(
    (left, right) =>
      costs.get(left)! - costs.get(right)! ||
      Number(right.sorted) - Number(left.sorted) ||
      right.points - left.points ||
      right.scan.bounded - left.scan.bounded ||
      left.scan.choice.key.size - right.scan.choice.key.size,
  );
}

/** What is sorted and exact stops when enough is found. */
function cost({ scan, sorted, exact }: Candidate, sort: Doc | undefined, wanted: number): number {
  const enough = exact && (sorted || !sort) ? wanted : Number.POSITIVE_INFINITY;
  return Math.min(scan.count(TRIAL_KEYS), enough);
}

function scanPlan(collection: Collection, { scan, sorted, exact, residual }: Candidate): Plan {
  return {
    stage: 'IXSCAN',
    sorted,
    exact,
    slots: () => slotsOf(collection, scan),
    get keysExamined() {
      return scan.keysExamined;
    },
    describe: (ran) => fetchStage(scan.describe(ran !== undefined), residual, scan, ran),
  };
}

function fetchStage(input: Doc, residual: readonly FilterNode[], scan: IndexScan, ran: Ran | undefined): Doc {
  return stageDoc('FETCH', {
    filter: showAll(residual),
    work: ran && { advanced: ran.matched, works: scan.keysExamined + 1 },
    fields: ran && { docsExamined: ran.docsExamined, alreadyHasObj: 0 },
    input,
  });
}

export function* slotsOf(collection: Collection, scan: IndexScan): Generator<Slot> {
  for (const { recordId } of scan.entries()) {
    const slot = collection.slot(recordId);
    if (slot) yield slot;
  }
}
