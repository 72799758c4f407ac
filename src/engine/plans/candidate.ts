import type { ArrayParts, Doc } from '../../bson/index.ts';
import { kindOf } from '../../indexes/index.ts';
import { type FilterNode, showAll } from '../../query/index.ts';
import { isFoundIn } from '../collation.ts';
import { implies } from '../implies.ts';
import { assignBounds, type FieldBounds } from './assign.ts';
import { boundsOf, type Condition } from './condition.ts';
import { indexOrder } from './index-order.ts';
import { IndexScan } from './index-scan.ts';
import type { Choice, Plan, PlanQuery, Ran } from './plan.ts';
import { stageDoc } from './stage.ts';
import { isTextless, type TextOrdering, textOrdering } from './text-ordering.ts';
import { pathChoices } from './wildcard.ts';

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

/** What is weighed: a scan, or several that a union takes together. */
export interface Contender {
  readonly plan: Plan;
  readonly sorted: boolean;
  readonly exact: boolean;
  /** Fields with one value, or some; fields with any bounds; fields of the index. */
  readonly points: number;
  readonly bounded: number;
  readonly fields: number;
  count(limit: number): number;
}

/** Kinds that conditions on their fields bound. */
const BOUNDED_KINDS: ReadonlySet<string> = new Set(['btree', 'hashed']);

/** All scans that answer something of the query; the hinted one in any case, which is one of all its keys at worst. */
export function candidates(query: PlanQuery): Candidate[] {
  const { choices, hinted } = query;
  return choices
    .filter((choice) => hinted || holdsAll(choice, query))
    .flatMap((choice) => {
      const kind = kindOf(choice.key).name;
      if (kind === 'wildcard') {
        return pathChoices(choice, query.conjuncts, textOrdering(choice, query.filter))
          .map((path) => candidate(path.choice, { ...query, conditions: path.conditions }))
          .filter(({ scan }) => scan.bounded > 0);
      }
      if (BOUNDED_KINDS.has(kind)) return [candidate(choice, query)];
      return hinted ? [candidate(choice, { ...query, conditions: [] })] : [];
    })
    .filter(({ narrow, sorted }) => narrow || hinted || (sorted && query.sort));
}

function candidate(choice: Choice, { conditions, conjuncts, filter, sort }: PlanQuery): Candidate {
  const { key, arrays, spec } = choice;
  const texts = textOrdering(choice, filter);
  const assigned = assignBounds(key, arrays, conditions, texts);
  const scan = new IndexScan(choice, assigned);
  const ordered = sort && (texts.alike || isTextless(sort, key, assigned));
  const order = ordered ? indexOrder(key, sort, assigned, scan.points, arrays) : undefined;
  if (order) scan.inOrder(order);
  const settled = settledBy(scan, assigned, arrays);
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

/** The conjuncts that hold of every document with a key within the bounds. Of an array a key tells one element. */
function settledBy(scan: IndexScan, assigned: readonly FieldBounds[], arrays: ArrayParts | undefined): Set<FilterNode> {
  const used = assigned.filter((_, field) => field !== scan.loose && !arrays?.[field]?.size);
  const exact = used.flatMap(({ conditions }) => conditions).filter(({ bounds }) => bounds.exact);
  return new Set(exact.map(({ condition }) => condition.source));
}

/**
 * A partial index lacks what its filter leaves out, a sparse one documents that have none of its fields: a query goes by
 * it unasked only when it wants none of those.
 */
function holdsAll(choice: Choice, { filter, conditions }: PlanQuery): boolean {
  const { key, spec, collation } = choice;
  const { source, collator } = filter;
  const partial = spec.get('partialFilterExpression');
  if (partial instanceof Map && !(isFoundIn(partial, collator, collation) && implies(source, partial, collator))) {
    return false;
  }
  if (spec.get('sparse') !== true) return true;
  const texts = textOrdering(choice, filter);
  return conditions.some((condition) => key.has(condition.path) && refusesMissing(condition, texts));
}

function refusesMissing(condition: Condition, texts: TextOrdering): boolean {
  return boundsOf(condition, true, texts)?.matchesMissing === false;
}

/** Documents that index scans lead to, and what is still to be asked of them. */
export function fetchStage(input: Doc, residual: readonly FilterNode[], keys: number, ran: Ran | undefined): Doc {
  return stageDoc('FETCH', {
    filter: showAll(residual),
    work: ran && { advanced: ran.matched, works: keys + 1 },
    fields: ran && { docsExamined: ran.docsExamined, alreadyHasObj: 0 },
    input,
  });
}
