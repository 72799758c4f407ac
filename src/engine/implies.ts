import { type Collator, type Doc, identical, doc as literal, type Value } from '../bson/index.ts';
import { compileFilter, type FieldPredicate, fieldPredicates } from '../query/index.ts';

/** Operators that some one value at a path meets: whatever finds that value has met them. */
const POSITIVE: ReadonlySet<string> = new Set(['$eq', '$in', '$gt', '$gte', '$lt', '$lte', '$exists']);

/**
 * Whether every document that matches `filter` also matches `partial`, as far as it can be told at a glance: `false`
 * says nothing. An index of what matches `partial` then finds all that `filter` asks for.
 */
export function implies(filter: Doc, partial: Doc, collator?: Collator): boolean {
  const predicates = fieldPredicates(filter);
  return [...partial].every(([name, operand]) => demands(filter, predicates, name, operand, collator));
}

function demands(
  filter: Doc,
  predicates: ReadonlyMap<string, FieldPredicate>,
  name: string,
  operand: Value,
  collator: Collator | undefined,
): boolean {
  if (says(filter, name, operand)) return true;
  if (
    branches(filter, '$or').some((some) => some.every((each) => implies(each, literal({ [name]: operand }), collator)))
  ) {
    return true;
  }
  if (name === '$and') return isList(operand) && operand.every((each) => implies(filter, each, collator));
  if (name === '$or') return isList(operand) && operand.some((each) => implies(filter, each, collator));
  const predicate = predicates.get(name);
  if (name.startsWith('$') || !predicate) return false;
  const operators = isOperators(operand) ? operand : literal({ $eq: operand });
  return [...operators].every(
    ([operator, value]) => POSITIVE.has(operator) && meets(predicate, operator, value, collator),
  );
}

/** The filter has the very condition among those that must all hold. */
function says(filter: Doc, name: string, operand: Value): boolean {
  if (filter.has(name) && identical(filter.get(name) as Value, operand)) return true;
  return branches(filter, '$and').some((all) => all.some((each) => says(each, name, operand)));
}

function meets(
  { eq, in: list, lower, upper }: FieldPredicate,
  operator: string,
  operand: Value,
  collator: Collator | undefined,
): boolean {
  if (eq !== undefined && accepts(operator, operand, eq, collator)) return true;
  if (list?.every((value) => accepts(operator, operand, value, collator))) return true;
  if (operator === '$exists') return operand === true && (list ?? lower ?? upper) !== undefined;
  if (lower && (operator === '$gt' || operator === '$gte')) {
    return accepts(lower.inclusive ? operator : '$gte', operand, lower.value, collator);
  }
  if (upper && (operator === '$lt' || operator === '$lte')) {
    return accepts(upper.inclusive ? operator : '$lte', operand, upper.value, collator);
  }
  return false;
}

/** Asks the filter itself, which knows what types compare. */
function accepts(operator: string, operand: Value, value: Value, collator: Collator | undefined): boolean {
  const context = { now: new Date(0), random: () => 0, collator };
  const filter = compileFilter(literal({ v: literal({ [operator]: operand }) }), context);
  return filter.matches(literal({ v: value }));
}

function branches(filter: Doc, name: '$and' | '$or'): Doc[][] {
  const operand = filter.get(name);
  return isList(operand) ? [operand] : [];
}

function isList(operand: Value): operand is Doc[] {
  return Array.isArray(operand) && operand.every((each) => each instanceof Map);
}

function isOperators(operand: Value): operand is Doc {
  return operand instanceof Map && [...operand.keys()][0]?.startsWith('$') === true;
}
