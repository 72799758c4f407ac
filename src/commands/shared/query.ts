import type { Doc, Value } from '../../bson/index.ts';
import { compileProjection, type QueryContext } from '../../query/index.ts';
import { document, either, isDocument, string } from '../fields.ts';
import type { Context } from '../types.ts';

/** An index by name or by key. */
export const hint = () => either(string(), (value) => typeof value === 'string', document());

/** Read by the engine, which knows the collection's own. */
export const collation = () => document();

/** What queries may use besides documents: the time, chance, and the command's `let`. */
export function queryContext(context: Context, variables?: Doc): QueryContext {
  const { clock, random } = context.env;
  const surroundings = {
    now: new Date(clock.now()),
    clusterTime: context.clusterTime.now,
    random: () => random.next(),
  };
  return variables ? { ...surroundings, variables: letVariables(variables, surroundings) } : surroundings;
}

/** The values of `let`, each evaluated where there is no document to speak of. */
function letVariables(variables: Doc, context: QueryContext): ReadonlyMap<string, Value> {
  return new Map([...variables].map(([name, value]) => [name, evaluated(value, context)]));
}

function evaluated(value: Value, context: QueryContext): Value {
  if (!isExpression(value)) return value;
  const projection = compileProjection(new Map<string, Value>([['value', value]]), { context });
  return projection.apply(new Map()).get('value') ?? null;
}

function isExpression(value: Value): boolean {
  if (typeof value === 'string') return value.startsWith('$');
  if (Array.isArray(value)) return value.some(isExpression);
  return isDocument(value) && [...value].some(([name, inner]) => name.startsWith('$') || isExpression(inner));
}
