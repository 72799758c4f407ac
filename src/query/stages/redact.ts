import type { Doc, Value } from '../../bson/index.ts';
import { located } from '../error.ts';
import { bind, compileExpression, type Expression, rootScope, type Scope } from '../expressions/index.ts';
import { type Found, isArray, isDoc, MISSING, valueText } from '../value.ts';
import { each, type StageCompiler } from './stage.ts';

/** The variables that no other stage knows; what each stands for is nobody else's to see. */
const VERDICTS = ['DESCEND', 'PRUNE', 'KEEP'];
const { variables } = VERDICTS.reduce<Scope>((scope, name) => bind(scope, name, name.toLowerCase()), rootScope(null));

/** `$redact`: the expression decides for each document, from the outside in. */
export const redact: StageCompiler = (spec, { context }) => {
  const expression = compileExpression(spec, context, VERDICTS);
  return each((doc) => {
    const kept = redacted(doc, doc, expression);
    return isDoc(kept) ? [kept] : [];
  });
};

function redacted(doc: Doc, root: Doc, expression: Expression): Found {
  const verdict = expression({ root, current: doc, variables });
  if (verdict === 'keep') return doc;
  if (verdict === 'prune') return MISSING;
  if (verdict !== 'descend') {
    throw located(
      17053,
      `$redact's expression should not return anything aside from the variables $$KEEP, $$DESCEND, and $$PRUNE, but returned ${valueText(verdict)}`,
    );
  }
  const result: Doc = new Map();
  for (const [name, value] of doc) {
    const kept = descend(value, root, expression);
    if (kept !== MISSING) result.set(name, kept);
  }
  return result;
}

function descend(value: Value, root: Doc, expression: Expression): Found {
  if (isDoc(value)) return redacted(value, root, expression);
  if (!isArray(value)) return value;
  return value.map((item) => descend(item, root, expression)).filter((item) => item !== MISSING);
}
