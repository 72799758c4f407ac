import type { Doc } from '../../bson/index.ts';
import { conjuncts, type FilterNode, showAll } from '../../query/index.ts';
import type { Slot } from '../slot.ts';
import { type Candidate, type Contender, candidates, fetchStage } from './candidate.ts';
import { conditionsOf } from './condition.ts';
import type { PlanQuery, Ran } from './plan.ts';
import { stageDoc } from './stage.ts';

/**
 * The ways by `$or`: each of its branches, together with what else the filter demands, goes by an index of its own, and
 * what several find is given once. A branch that no index bounds would be a scan of everything, so there is none then.
 */
export function unions(query: PlanQuery): Contender[] {
  return query.conjuncts.flatMap((node) => {
    if (node.kind !== '$or') return [];
    const rest = query.conjuncts.filter((other) => other !== node);
    const branches = node.children.map((child) => branchScan(query, [...conjuncts(child), ...rest]));
    return branches.every((each) => each !== undefined) ? [unionOf(query, branches, rest)] : [];
  });
}

/** The scan with the fewest keys among those that bound the branch. */
export function branchScan(query: PlanQuery, nodes: readonly FilterNode[]): Candidate | undefined {
  const filter = { ...query.filter, source: showAll(nodes) ?? new Map() };
  const found = candidates({ ...query, filter, conjuncts: nodes, conditions: conditionsOf(nodes), sort: undefined })
    .filter(({ scan }) => scan.bounded > 0)
    .map((candidate) => ({ candidate, keys: candidate.scan.count(MAX_COUNTED) }));
  return found.sort((left, right) => left.keys - right.keys || right.candidate.points - left.candidate.points)[0]
    ?.candidate;
}

/** Keys of a branch that are counted to weigh its scans. */
const MAX_COUNTED = 101;

function unionOf(query: PlanQuery, branches: readonly Candidate[], rest: readonly FilterNode[]): Contender {
  const { collection, sort } = query;
  const exact = branches.every((each) => each.exact);
  const work = { tested: 0, dropped: 0 };
  const keys = () => branches.reduce((sum, { scan }) => sum + scan.keysExamined, 0);
  return {
    sorted: sort === undefined,
    exact,
    points: Math.min(...branches.map(({ points }) => points)),
    bounded: Math.min(...branches.map(({ scan }) => scan.bounded)),
    fields: Math.max(...branches.map(({ scan }) => scan.choice.key.size)),
    count: (limit) => branches.reduce((sum, { scan }) => (sum < limit ? sum + scan.count(limit - sum) : sum), 0),
    plan: {
      stage: 'OR',
      sorted: sort === undefined,
      exact,
      get keysExamined() {
        return keys();
      },
      slots,
      describe: (ran) => describe(branches, rest, ran, keys(), work),
    },
  };

  function* slots(): Generator<Slot> {
    work.tested = work.dropped = 0;
    const seen = new Set<number>();
    for (const { scan } of branches) {
      collection.indexUses.count(scan.choice.name);
      for (const { recordId } of scan.entries()) {
        work.tested++;
        if (seen.has(recordId)) {
          work.dropped++;
          continue;
        }
        seen.add(recordId);
        const slot = collection.slot(recordId);
        if (slot) yield slot;
      }
    }
  }
}

/** MongoDB plans a filter that is nothing but an `$or` branch by branch, and says so by a stage of its own. */
function describe(
  branches: readonly Candidate[],
  rest: readonly FilterNode[],
  ran: Ran | undefined,
  keys: number,
  { tested, dropped }: { readonly tested: number; readonly dropped: number },
): Doc {
  const covered = branches.every(({ residual }) => residual.length === 0);
  const inputs = branches.map(({ scan, residual }) => {
    const shown = scan.describe(ran !== undefined);
    if (covered || residual.length === 0) return shown;
    const fetched = ran && { docsExamined: scan.advanced, matched: scan.advanced };
    return fetchStage(shown, residual, scan.keysExamined, fetched);
  });
  const or = stageDoc('OR', {
    work: ran && { advanced: tested - dropped, works: keys + 1 },
    fields: ran && { dupsTested: tested, dupsDropped: dropped },
    input: inputs,
  });
  const found = fetchStage(or, [], keys, ran);
  if (rest.length > 0) return found;
  return stageDoc('SUBPLAN', { work: ran && { advanced: ran.matched, works: keys + 1 }, input: found });
}
