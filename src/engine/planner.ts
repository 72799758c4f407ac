import { CodedError } from '../base/index.ts';
import { type Doc, encodeKey, equal, identical, doc as literal, type Value } from '../bson/index.ts';
import { type FieldRange, type KeyRange, keyRange, type OrderedIndex } from '../indexes/index.ts';
import { type FieldPredicate, type Filter, fieldPredicates } from '../query/index.ts';
import { type Collection, nsText } from './collection.ts';
import { implies } from './implies.ts';
import type { Slot } from './slot.ts';

/** A way to the candidates of a query. Whoever follows it filters again, unless it is `exact`. */
export interface Plan {
  readonly stage: 'COLLSCAN' | 'IXSCAN' | 'IDHACK';
  /** The candidates come in the order asked for. */
  readonly sorted: boolean;
  /** Every candidate matches. */
  readonly exact: boolean;
  slots(): Iterable<Slot>;
  /** As `explain` shows it. */
  describe(): Doc;
}

export interface PlanRequest {
  readonly sort?: Doc | undefined;
  readonly hint?: string | Doc | undefined;
}

/** More points than this of `$in` lists are not worth a search each. */
const MAX_POINTS = 1000;

/** An index that a query may go by. */
interface Choice {
  readonly name: string;
  readonly key: Doc;
  readonly spec: Doc;
  readonly index: () => OrderedIndex;
  readonly multikey: boolean;
}

interface IndexPlan {
  readonly choice: Choice;
  readonly ranges: readonly KeyRange[];
  readonly sorted: boolean;
  readonly reverse: boolean;
  /** How much of the query the index answers; 0 is nothing. */
  readonly score: number;
}

/** 1 or -1 where a sort or a hint is `{$natural: ±1}`. */
export function naturalOrder(spec: string | Doc | undefined): 1 | -1 | undefined {
  if (!(spec instanceof Map) || !spec.has('$natural')) return undefined;
  return Number(spec.get('$natural')) < 0 ? -1 : 1;
}

export function planQuery(collection: Collection, filter: Filter, { sort, hint }: PlanRequest): Plan {
  const wantsOrder = sort !== undefined && sort.size > 0;
  const natural = naturalOrder(hint) ?? naturalOrder(sort);
  if (natural) return collectionScan(collection, filter, natural, !wantsOrder || naturalOrder(sort) === natural);
  const predicates = fieldPredicates(filter.source);
  const hinted = hint === undefined ? undefined : findHinted(collection, hint);
  const id = predicates.get('_id');
  if (!hinted && id && 'eq' in id && !Array.isArray(id.eq)) return idLookup(collection, filter, id.eq as Value);
  const order = wantsOrder ? sort : undefined;
  const usable = hinted ? [hinted] : choices(collection).filter((choice) => findsAll(choice, filter, predicates));
  const plans = usable.map((choice) => planIndex(choice, predicates, order));
  const best = plans.reduce<IndexPlan | undefined>(
    (most, next) => (next.score > (most?.score ?? 0) ? next : most),
    undefined,
  );
  const chosen = best ?? (hinted && plans[0]);
  return chosen ? indexScan(collection, chosen) : collectionScan(collection, filter, 1, !wantsOrder);
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
  const id = { name: '_id_', key: idKey, spec: new Map(), index: () => collection.idOrder(), multikey: false };
  const all: Choice[] = [id];
  for (const { spec, index, ready } of collection.secondary.values()) {
    if (!ready || spec.spec.get('hidden') === true) continue;
    all.push({ name: spec.name, key: spec.key, spec: spec.spec, index: () => index, multikey: index.multikey });
  }
  return all;
}

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
  let points: Value[][] = [[]];
  let score = 0;
  let at = 0;
  // Of a multikey index only one field's bounds are sound: two fields may match by different elements.
  const usable = choice.multikey ? 1 : fields.length;
  for (; at < usable; at++) {
    const values = equalities(predicates.get(fields[at]!));
    if (!values || points.length * values.length > MAX_POINTS) break;
    points = points.flatMap((point) => values.map((value) => [...point, value]));
    score += 10;
  }
  const range = at < usable ? rangeOf(predicates.get(fields[at]!), choice.multikey) : {};
  if (range.lower || range.upper) score += 5;
  const direction =
    points.length === 1 && !choice.multikey ? sortDirection(choice.key, at, sort, predicates) : undefined;
  if (direction) score += 4;
  const ranges = points.map((point) => keyRange(choice.key, point, range));
  return { choice, ranges, sorted: direction !== undefined, reverse: direction === -1, score };
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

function indexScan(collection: Collection, plan: IndexPlan): Plan {
  const { choice, ranges, reverse, sorted } = plan;
  return { stage: 'IXSCAN', sorted, exact: false, slots: () => indexSlots(collection, plan), describe };

  function describe(): Doc {
    const scan = {
      stage: 'IXSCAN',
      keyPattern: choice.key,
      indexName: choice.name,
      isMultiKey: choice.multikey,
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

function* indexSlots(collection: Collection, { choice, ranges, reverse }: IndexPlan): Iterable<Slot> {
  const index = choice.index();
  // A document of several keys may stand in the ranges more than once.
  const seen = choice.multikey ? new Set<number>() : undefined;
  for (const range of ranges) {
    for (const { recordId } of index.scan({ ...range, reverse })) {
      if (seen?.has(recordId)) continue;
      seen?.add(recordId);
      const slot = collection.slot(recordId);
      if (slot) yield slot;
    }
  }
}
