import type { Doc, Value } from '../../bson/index.ts';
import { located } from '../error.ts';
import type { QueryContext } from '../types.ts';
import { type Found, isArray, isDoc } from '../value.ts';
import { compileExpression, rootScope } from './index.ts';
import { variableName } from './variable-name.ts';

/**
 * The values of a command's `let`, each of which may use those before it (`Variables::seedVariablesWithLetParameters`).
 * Throws 4890500 where one looks at a document, for there is none yet.
 */
export function letVariables(given: Doc, context: QueryContext): ReadonlyMap<string, Found> {
  const values = new Map<string, Found>();
  for (const [name, value] of given) {
    variableName(name);
    const expression = compileExpression(value, { ...context, variables: values });
    if (readsDocument(value)) {
      throw located(
        4890500,
        'Command let Expression tried to access a field, but this is not allowed because' +
          'Command let Expressions run before the query examines any documents.',
      );
    }
    values.set(name, expression(rootScope(new Map())));
  }
  return values;
}

function readsDocument(value: Value): boolean {
  if (typeof value === 'string') return /^\$(?!\$)|^\$\$(ROOT|CURRENT)(\.|$)/.test(value);
  if (isArray(value)) return value.some(readsDocument);
  if (!isDoc(value)) return false;
  return [...value].some(([name, operand]) => {
    if (name === '$literal' || name === '$const') return false;
    if (name === '$meta') return true;
    // Without an input it is a field of the document.
    if (name === '$getField' && !(isDoc(operand) && operand.has('input'))) return true;
    return readsDocument(operand);
  });
}
