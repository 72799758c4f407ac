import { type Doc, encodeKey, doc as literal, type Value } from '../../bson/index.ts';
import { type FieldRange, type KeyRange, keyRange, kindOf } from '../../indexes/index.ts';
import { type FieldPredicate, type Filter, fieldPredicates } from '../../query/index.ts';
import type { Collection } from '../collection.ts';
import { implies } from '../implies.ts';
import type { Slot } from '../slot.ts';
import type { AccessPath, Choice, Plan } from './plan.ts';

/** More points than this of `$in` lists are not worth a search each. */
const MAX_POINTS = 1000;

interface IndexPlan {
  readonly choice: Choice;
  readonly multikey: boolean;
  readonly ranges: readonly KeyRange[];
  readonly sorted: boolean;
  readonly reverse: boolean;
  readonly score: number;
}

/** Equality, ranges and sorts by ascending and descending keys. */
export const byOrderedIndex: AccessPath = {
  offers({ collection, filter, sort, choices, hinted }) {
    const predicates = fieldPredicates(filter.source);
    return choices
      .filter((choice) => kindOf(choice.key).name === 'btree' && (hinted || findsAll(choice, filter, predicates)))
      .map((choice) => {
        const plan = planIndex(choice, predicates, sort);
        return { plan: indexScan(collection, plan), score: hinted ? plan.score + 1 : plan.score };
      });
  },
};

/**
 * A partial index lacks what its filter leaves out, a sparse one documents that have none of its fields: a query goes by
 * it unasked only when it wants none of those.
 */
function findsAll({ key, spec }: Choice, filter: Filter, predicates: ReadonlyMap<string, FieldPredicate>): boolean {
  const partial = spec.get('partialFilterExpression');
  if (partial instanceof Map && !implies(filter.source, partial)) return false;
  if (spec.get('sparse') !== true) return true;
  return [...key.keys()].some((path) => {
    const predicate = predicates.get(path);
    if (!predicate) return false;
    const values = equalities(predicate);
    if (values) return values.every((value) => value !== null && value !== undefined);
    const { value } = predicate.lower ?? predicate.upper ?? {};
    return value !== null && value !== undefined;
  });
}

function planIndex(choice: Choice, predicates: ReadonlyMap<string, FieldPredicate>, sort: Doc | undefined): IndexPlan {
  const fields = [...choice.key.keys()];
  const multikey = choice.arrays !== undefined;
  let points: Value[][] = [[]];
  let score = 0;
  let at = 0;
  // Of a multikey index only one field's bounds are sound: two fields may match by different elements.
  const usable = multikey ? 1 : fields.length;
  for (; at < usable; at++) {
    const values = equalities(predicates.get(fields[at]!));
    if (!values || points.length * values.length > MAX_POINTS) break;
    points = points.flatMap((point) => values.map((value) => [...point, value]));
    score += 10;
  }
  const range = at < usable ? rangeOf(predicates.get(fields[at]!), multikey) : {};
  if (range.lower || range.upper) score += 5;
  const direction = points.length === 1 && !multikey ? sortDirection(choice.key, at, sort, predicates) : undefined;
  if (direction) score += 4;
  const ranges = points.map((point) => keyRange(choice.key, point, range));
  return { choice, multikey, ranges, sorted: direction !== undefined, reverse: direction === -1, score };
}

/** The values that a field must have one of. An array's elements, not the array, are in the index. */
function equalities(predicate: FieldPredicate | undefined): readonly Value[] | undefined {
  const values = predicate && 'eq' in predicate ? [predicate.eq as Value] : predicate?.in;
  if (!values || values.some(Array.isArray)) return undefined;
  return [...new Map(values.map((value) => [encodeKey(value), value])).values()].sort((left, right) =>
    encodeKey(left) < encodeKey(right) ? -1 : 1,
  );
}

/** Of a multikey index one end only: different elements may satisfy the two. */
function rangeOf(predicate: FieldPredicate | undefined, multikey: boolean): FieldRange {
  const { lower, upper } = predicate ?? {};
  if (Array.isArray(lower?.value) || Array.isArray(upper?.value)) return {};
  if (lower && (multikey || !upper)) return { lower };
  if (!upper) return {};
  return lower ? { lower, upper } : { upper };
}

/** Whether the index gives the sort's order from field `from` on, forwards or backwards; fixed fields order nothing. */
function sortDirection(
  key: Doc,
  from: number,
  sort: Doc | undefined,
  predicates: ReadonlyMap<string, FieldPredicate>,
): 1 | -1 | undefined {
  if (!sort) return undefined;
  const fixed = new Set([...key.keys()].slice(0, from));
  const wanted = [...sort].filter(([path]) => !(fixed.has(path) && 'eq' in (predicates.get(path) ?? {})));
  const given = [...key].slice(from);
  if (wanted.length === 0) return 1;
  if (wanted.length > given.length) return undefined;
  let direction: 1 | -1 | undefined;
  for (const [at, [path, value]] of wanted.entries()) {
    const [indexPath, indexValue] = given[at]!;
    if (path !== indexPath) return undefined;
    const same = Math.sign(Number(value)) === Math.sign(Number(indexValue)) ? 1 : -1;
    if (direction !== undefined && direction !== same) return undefined;
    direction = same;
  }
  return direction;
}

function indexScan(collection: Collection, plan: IndexPlan): Plan {
  const { choice, multikey, ranges, reverse, sorted } = plan;
  return { stage: 'IXSCAN', sorted, exact: false, slots: () => indexSlots(collection, plan), describe };

  function describe(): Doc {
    const scan = {
      stage: 'IXSCAN',
      keyPattern: choice.key,
      indexName: choice.name,
      isMultiKey: multikey,
      isUnique: choice.spec.get('unique') === true,
      isSparse: choice.spec.get('sparse') === true,
      isPartial: choice.spec.has('partialFilterExpression'),
      indexVersion: 2,
      direction: reverse ? 'backward' : 'forward',
      ranges: ranges.length,
    };
    return literal({ stage: 'FETCH', inputStage: scan });
  }
}

function* indexSlots(collection: Collection, { choice, multikey, ranges, reverse }: IndexPlan): Iterable<Slot> {
  const index = choice.index();
  // A document of several keys may stand in the ranges more than once.
  const seen = multikey ? new Set<number>() : undefined;
  for (const range of ranges) {
    for (const { recordId } of index.scan({ ...range, reverse })) {
      if (seen?.has(recordId)) continue;
      seen?.add(recordId);
      const slot = collection.slot(recordId);
      if (slot) yield slot;
    }
  }
}
