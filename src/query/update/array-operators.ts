import { BSONRegExp, type Collator, comparison, type Doc, equal, type Value } from '../../bson/index.ts';
import { badValue, failedToParse, typeMismatch } from '../error.ts';
import { checkNoSpecialFeatures, compileFilter } from '../filter/index.ts';
import { clampedLong, exactLong, toDouble } from '../number.ts';
import { compileWholeSort } from '../sort.ts';
import type { QueryContext } from '../types.ts';
import { element, format, isArray, isDoc, isNumeric, MISSING, typeName } from '../value.ts';
import { idOf, lastPart } from './scalar-operators.ts';
import type { Leaf } from './tree.ts';

/** `$push`, with `$each`, `$position`, `$sort` and `$slice`. */
export function push(operand: Value, { collator }: QueryContext): Leaf {
  const clauses = isDoc(operand) && operand.has('$each') ? pushClauses(operand, collator) : { values: [operand] };
  const { values, slice, order, position }: PushClauses = clauses;
  return {
    kind: 'leaf',
    creates: true,
    apply(value, place) {
      if (value !== MISSING && !isArray(value)) {
        throw badValue(
          `The field '${place.path}' must be an array but is of type ${typeName(value)} in document {${idOf(place)}}`,
        );
      }
      const list = value === MISSING ? [] : [...value];
      list.splice(insertAt(position, list.length), 0, ...values);
      if (order) list.sort(order);
      const cut = slice === undefined ? list : slice >= 0 ? list.slice(0, slice) : list.slice(slice);
      // What was pushed, sorted or cut counts as changed, also where all is as before.
      const touched = values.length > 0 || order || cut.length < list.length;
      return value === MISSING || touched ? cut : value;
    },
  };
}

interface PushClauses {
  readonly values: readonly Value[];
  readonly position?: number | undefined;
  readonly slice?: number | undefined;
  readonly order?: ((left: Value, right: Value) => number) | undefined;
}

function pushClauses(operand: Doc, collator: Collator | undefined): PushClauses {
  for (const name of operand.keys()) {
    if (!['$each', '$position', '$slice', '$sort'].includes(name)) {
      throw badValue(`Unrecognized clause in $push: ${name}`);
    }
  }
  const values = operand.get('$each');
  if (!isArray(values)) {
    throw badValue(`The argument to $each in $push must be an array but it was of type: ${typeName(values)}`);
  }
  return {
    values,
    slice: wholeNumber(operand, '$slice', 'an integer value but was given type'),
    order: operand.has('$sort') ? elementOrder(operand.get('$sort'), collator) : undefined,
    position: wholeNumber(operand, '$position', 'an integer value, not of type'),
  };
}

function wholeNumber(operand: Doc, name: string, wanted: string): number | undefined {
  if (!operand.has(name)) return undefined;
  const value = operand.get(name);
  const long = isNumeric(value) ? exactLong(value) : undefined;
  if (long === undefined) throw badValue(`The value for ${name} must be ${wanted}: ${typeName(value)}`);
  return Number(long);
}

function insertAt(position: number | undefined, length: number): number {
  if (position === undefined) return length;
  return position >= 0 ? Math.min(position, length) : Math.max(0, length + position);
}

function elementOrder(spec: Value, collator: Collator | undefined): (left: Value, right: Value) => number {
  if (isDoc(spec)) {
    if (spec.size === 0) throw badValue('The $sort pattern is empty when it should be a set of fields.');
    for (const [name, direction] of spec) {
      checkDirection(direction);
      if (name === '') throw badValue('The $sort field cannot be empty');
      if (name.split('.').includes('')) {
        throw badValue(`The $sort field is a dotted field but has an empty part: ${name}`);
      }
    }
    return compileWholeSort(spec, collator);
  }
  if (!isNumeric(spec)) {
    throw badValue('The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields');
  }
  checkDirection(spec);
  const direction = toDouble(spec);
  const compare = comparison(collator);
  return (left, right) => direction * compare(left, right);
}

function checkDirection(value: Value): void {
  const direction = isNumeric(value) ? toDouble(value) : 0;
  if (direction !== 1 && direction !== -1) throw badValue('The $sort element value must be either 1 or -1');
}

/** `$addToSet`. */
export function addToSet(operand: Value, { collator }: QueryContext): Leaf {
  const values = distinct(addedValues(operand), collator);
  return {
    kind: 'leaf',
    creates: true,
    apply(value, place) {
      if (value === MISSING) return values;
      if (!isArray(value)) {
        throw badValue(
          `Cannot apply $addToSet to non-array field. Field named '${lastPart(place)}' has non-array type ${typeName(value)}`,
        );
      }
      const fresh = values.filter((item) => !contains(value, item, collator));
      return fresh.length === 0 ? value : [...value, ...fresh];
    },
  };
}

function addedValues(operand: Value): readonly Value[] {
  if (!isDoc(operand) || operand.keys().next().value !== '$each') return [operand];
  const values = operand.get('$each');
  if (!isArray(values)) {
    throw typeMismatch(`The argument to $each in $addToSet must be an array but it was of type ${typeName(values)}`);
  }
  if (operand.size > 1) throw badValue(`Found unexpected fields after $each in $addToSet: ${format(operand)}`);
  return values;
}

/** `$pop`. */
export function pop(name: string, operand: Value): Leaf {
  if (!isNumeric(operand)) throw failedToParse(`Expected a number in: ${element(name, operand)}`);
  const end = exactLong(operand);
  if (end === undefined) throw failedToParse(`Expected an integer: ${element(name, operand)}`);
  if (end !== 1n && end !== -1n) throw failedToParse(`$pop expects 1 or -1, found: ${clampedLong(operand)}`);
  return {
    kind: 'leaf',
    creates: false,
    apply(value, place) {
      if (!isArray(value)) {
        throw typeMismatch(`Path '${place.path}' contains an element of non-array type '${typeName(value)}'`);
      }
      if (value.length === 0) return value;
      return end === 1n ? value.slice(0, -1) : value.slice(1);
    },
  };
}

/** `$pull`: a value, a condition on each element, or a filter for elements that are documents. */
export function pull(operand: Value, context: QueryContext): Leaf {
  return culling(pullTest(operand, context));
}

function pullTest(operand: Value, context: QueryContext): (item: Value) => boolean {
  checkNoSpecialFeatures(operand);
  if (operand instanceof BSONRegExp || (isDoc(operand) && isCondition(operand))) {
    // As the field without a name of a document (`WrappedObjectMatcher`): an element that is an array is taken apart.
    const filter = compileFilter(new Map([['', operand]]), context);
    return (item) => filter.matches(new Map([['', item]]));
  }
  if (isDoc(operand)) {
    const filter = compileFilter(operand, context);
    return (item) => isDoc(item) && filter.matches(item);
  }
  return (item) => equal(item, operand, context.collator);
}

/** What a condition on elements begins with; anything else begins a filter (`parsePathAcceptingKeyword`, without `$not`). */
const ON_ELEMENTS: ReadonlySet<string> = new Set(
  (
    '$eq $ne $gt $gte $lt $lte $in $nin $all $exists $type $size $mod $regex $options $elemMatch $bitsAllSet $bitsAllClear ' +
    '$bitsAnySet $bitsAnyClear $geoWithin $within $geoIntersects $near $nearSphere $geoNear'
  ).split(' '),
);

function isCondition(operand: Doc): boolean {
  return ON_ELEMENTS.has(operand.keys().next().value ?? '');
}

/** `$pullAll`. */
export function pullAll(operand: Value, { collator }: QueryContext): Leaf {
  if (!isArray(operand)) throw badValue(`$pullAll requires an array argument but was given a ${typeName(operand)}`);
  return culling((item) => contains(operand, item, collator));
}

function culling(test: (item: Value) => boolean): Leaf {
  return {
    kind: 'leaf',
    creates: false,
    apply(value) {
      if (!isArray(value)) throw badValue('Cannot apply $pull to a non-array value');
      const kept = value.filter((item) => !test(item));
      return kept.length === value.length ? value : kept;
    },
  };
}

function contains(list: readonly Value[], wanted: Value, collator: Collator | undefined): boolean {
  return list.some((item) => equal(item, wanted, collator));
}

function distinct(list: readonly Value[], collator: Collator | undefined): Value[] {
  const kept: Value[] = [];
  for (const item of list) if (!contains(kept, item, collator)) kept.push(item);
  return kept;
}
