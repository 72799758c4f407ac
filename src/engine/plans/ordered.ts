import type { Collection } from '../collection.ts';
import type { Slot } from '../slot.ts';
import { type Candidate, type Contender, candidates, fetchStage } from './candidate.ts';
import { Covering } from './covering.ts';
import type { IndexScan } from './index-scan.ts';
import type { AccessPath, Plan, PlanQuery } from './plan.ts';
import { unions } from './union.ts';

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
    const scans = candidates(query).map((each): Contender => {
      const { sorted, exact, points, scan } = each;
      const plan = scanPlan(query.collection, each);
      return {
        plan,
        sorted,
        exact,
        points,
        bounded: scan.bounded,
        fields: scan.choice.key.size,
        count: (limit) => scan.count(limit),
      };
    });
    const [best, ...rest] = rank([...scans, ...unions(query)], query);
    return best ? [{ plan: best.plan, score: 1, rejected: rest.map(({ plan }) => plan) }] : [];
  },
};

/** The best first. */
function rank(all: readonly Contender[], { wanted, sort }: PlanQuery): readonly Contender[] {
  if (all.length < 2) return all;
  // What is in order and exact stops when enough is found.
  const cost = ({ count, sorted, exact }: Contender) =>
    Math.min(count(TRIAL_KEYS), exact && (sorted || !sort) ? wanted : Number.POSITIVE_INFINITY);
  const costs = new Map(all.map((each) => [each, cost(each)]));
  return [...all].sort(
    (left, right) =>
      costs.get(left)! - costs.get(right)! ||
      Number(right.sorted) - Number(left.sorted) ||
      right.points - left.points ||
      right.bounded - left.bounded ||
      left.fields - right.fields,
  );
}

export function scanPlan(
  collection: Collection,
  { scan, sorted, exact, residual }: Pick<Candidate, 'scan' | 'sorted' | 'exact' | 'residual'>,
): Plan {
  return {
    stage: 'IXSCAN',
    sorted,
    exact,
    slots: () => slotsOf(collection, scan),
    entries: (skip) => entriesOf(collection, scan, skip),
    covering: (paths) => Covering.of(scan.choice, paths),
    describeCovered: (stage, ran) => scan.describe(ran !== undefined, stage),
    get keysExamined() {
      return scan.keysExamined;
    },
    indexKey: (doc) => scan.keyOf(doc),
    describeCount: (ran) => scan.describeCount(ran !== undefined),
    describe: (ran) => fetchStage(scan.describe(ran !== undefined), residual, scan.keysExamined, ran),
  };
}

export function* slotsOf(collection: Collection, scan: IndexScan): Generator<Slot> {
  for (const { slot } of entriesOf(collection, scan)) yield slot;
}

function* entriesOf(
  collection: Collection,
  scan: IndexScan,
  skip?: (key: string) => number | undefined,
): Generator<{ slot: Slot; key: string }> {
  collection.indexUses.count(scan.choice.name);
  for (const { recordId, key } of scan.entries(skip)) {
    const slot = collection.slot(recordId);
    if (slot) yield { slot, key };
  }
}
