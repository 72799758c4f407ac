import { CodedError } from '../../base/index.ts';
import { type Doc, doc as literal, toValue, typeAlias, type Value } from '../../bson/index.ts';
import { rootScope } from '../expressions/index.ts';
import { type Path, visitPath } from '../path.ts';
import { isArray, MISSING } from '../value.ts';
import type { BranchClause, Clause, ExpressionClause, LeafClause } from './clause.ts';
import { REASONS, type Reasons } from './reasons.ts';
import { explainSchema } from './schema.ts';

/** Values that one explanation shows at most. */
const MAX_CONSIDERED = 10;

/** Why a document does not satisfy all of the clauses; several that are asked for together are an `$and`. */
export function explainAll(clauses: readonly Clause[], doc: Doc, inverted = false): Doc | undefined {
  const [first] = clauses;
  if (!first) return undefined;
  if (clauses.length === 1) return explain(first, doc, inverted);
  return explainBranches(
    '$and',
    clauses.map((each) => [each]),
    doc,
    inverted,
  );
}

/** Why the clause does not hold; with `inverted`, why it does. */
function explain(clause: Clause, doc: Doc, inverted: boolean): Doc | undefined {
  switch (clause.kind) {
    case 'leaf':
      return explainLeaf(clause, doc, inverted !== clause.inverse);
    case 'expression':
      return explainExpression(clause, doc, inverted);
    case 'schema':
      if (inverted) return literal({ operatorName: clause.operator, reason: 'schema matched' });
      return explainSchema(clause.schema, doc);
    case 'not': {
      // Of several conditions MongoDB tells of the last.
      const last = clause.clauses.at(-1);
      return literal({ operatorName: '$not', details: last && explain(last, doc, !inverted) });
    }
    default:
      return explainBranches(clause.kind, clause.branches, doc, inverted);
  }
}

function explainBranches(
  operatorName: BranchClause['kind'],
  branches: BranchClause['branches'],
  doc: Doc,
  inverted: boolean,
): Doc {
  const below = operatorName === '$nor' ? !inverted : inverted;
  const details = branches.flatMap((clauses, index): Doc[] => {
    // Only those that are to blame.
    if (clauses.every((each) => each.matches(doc)) !== below) return [];
    return [literal({ index, details: explainAll(clauses, doc, below) })];
  });
  return literal({ operatorName, [below ? 'clausesSatisfied' : 'clausesNotSatisfied']: details });
}

function explainExpression({ operator, specifiedAs, evaluate }: ExpressionClause, doc: Doc, inverted: boolean): Doc {
  const head = { operatorName: operator, specifiedAs };
  try {
    const result = evaluate(rootScope(doc));
    const reason = inverted ? 'expression did match' : 'expression did not match';
    return literal({ ...head, reason, expressionResult: result === MISSING ? undefined : result });
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const details = { codeName: error.codeName, errmsg: error.message };
    return literal({ ...head, reason: 'failed to evaluate aggregation expression', details });
  }
}

function explainLeaf({ operator, specifiedAs, path }: LeafClause, doc: Doc, inverted: boolean): Doc {
  const explained = literal({ operatorName: operator, specifiedAs });
  const reasons = REASONS.get(operator);
  if (!reasons) return explained;
  const reason = inverted ? reasons.inverted : reasons.normal;
  if (!path) return explained.set('reason', reason);
  const { values, truncated } = considered(doc, path, reasons.elements);
  if (operator === '$exists') return explained.set('reason', reason);
  if (!values) return explained.set('reason', 'field was missing');
  const mismatch = typeMismatch(values, reasons);
  if (mismatch) for (const [name, value] of mismatch) explained.set(name, value);
  else explained.set('reason', reason);
  explained.set(
    ...((values.length === 1 ? ['consideredValue', values[0]] : ['consideredValues', values]) as [string, Value]),
  );
  if (truncated) explained.set('consideredValuesTruncated', true);
  if (operator === '$type') addTypes(explained, values);
  return explained;
}

/** Where none of the values is of a type that the operator is about. */
function typeMismatch(values: readonly Value[], { types }: Reasons): Doc | undefined {
  if (!types || values.some((value) => types.includes(typeAlias(value)))) return undefined;
  const mismatch = literal({ reason: 'type did not match' });
  addTypes(mismatch, values);
  return types.length === 1 ? mismatch.set('expectedType', types[0]!) : mismatch.set('expectedTypes', toValue(types));
}

function addTypes(target: Doc, values: readonly Value[]): void {
  const types = [...new Set(values.map(typeAlias))].sort();
  if (types.length === 1) target.set('consideredType', types[0]!);
  else if (types.length > 1) target.set('consideredTypes', toValue(types));
}

/** What an operator looks at: with `elements`, arrays are taken apart. No values where the path leads nowhere. */
function considered(doc: Doc, path: Path, elements: boolean): { values: Value[] | undefined; truncated: boolean } {
  const values: Value[] = [];
  let array = false;
  visitPath(doc, path, elements, (value, offset) => {
    if (value === MISSING) return false;
    const whole = elements && isArray(value) && offset === undefined;
    if (whole) array = true;
    else values.push(value);
    return values.length > MAX_CONSIDERED;
  });
  if (values.length === 0 && !array) return { values: undefined, truncated: false };
  return { values: values.slice(0, MAX_CONSIDERED), truncated: values.length > MAX_CONSIDERED };
}
