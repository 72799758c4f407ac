import type { Doc, Value } from '../../bson/index.ts';
import { located, parsedIn } from '../error.ts';
import { compileExpression, isOperatorDoc, rootScope } from '../expressions/index.ts';
import { checkedParts } from '../path.ts';
import type { QueryContext } from '../types.ts';
import { isArray, isDoc, typeName, valueText } from '../value.ts';
import { parseProjection } from './parse.ts';
import { applyTree, type Branch, newBranch } from './tree.ts';

/** A stage that makes one document out of one. */
export type Transform = (doc: Doc) => Doc;

/** `$project`. */
export function compileProject(spec: Value, context: QueryContext): Transform {
  if (!isDoc(spec)) throw located(15969, '$project specification must be an object');
  if (spec.size === 0) {
    throw located(51272, 'Invalid $project :: caused by :: projection specification must have at least one field');
  }
  return project('$project', spec, context);
}

function project(name: string, spec: Doc, context: QueryContext): Transform {
  const { tree, mode } = parsedIn(`Invalid ${name}`, () => parseProjection(spec, { context, find: false }));
  return (doc) => applyTree(tree, mode, doc);
}

/** `$addFields` and `$set`. */
export function compileAddFields(spec: Value, context: QueryContext, name = '$addFields'): Transform {
  if (!isDoc(spec)) throw located(40272, `${name} specification stage must be an object, got ${typeName(spec)}`);
  if (spec.size === 0) return (doc) => doc;
  const tree = newBranch();
  parsedIn(`Invalid ${name}`, () => addFields(tree, spec, context, ''));
  return (doc) => applyTree(tree, 'keep', doc);
}

function addFields(parent: Branch, spec: Doc, context: QueryContext, prefix: string): void {
  for (const [path, value] of spec) {
    const parts = checkedParts(path);
    if (isDoc(value) && value.size > 0 && !isOperatorDoc(value)) {
      addFields(descend(parent, parts, prefix + path), value, context, `${prefix}${path}.`);
      continue;
    }
    const branch = descend(parent, parts.slice(0, -1), prefix + path);
    const last = parts.at(-1)!;
    if (branch.children.has(last)) throw conflict(prefix + path);
    branch.children.set(last, { kind: 'compute', expression: compileExpression(value, context) });
  }
}

function descend(parent: Branch, parts: readonly string[], path: string): Branch {
  let branch = parent;
  for (const part of parts) {
    const child = branch.children.get(part) ?? newBranch();
    if (child.kind !== 'branch') throw conflict(path);
    branch.children.set(part, child);
    branch = child;
  }
  return branch;
}

function conflict(path: string): Error {
  return located(40176, `specification contains two conflicting paths. Cannot specify both '${path}' and a part of it`);
}

/** `$unset`. */
export function compileUnset(spec: Value, context: QueryContext): Transform {
  const names = isArray(spec) ? spec : [spec];
  if (!isArray(spec) && typeof spec !== 'string') {
    throw located(31002, '$unset specification must be a string or an array');
  }
  if (names.length === 0)
    throw located(31119, '$unset specification must be a string or an array with at least one field');
  const exclusion: Doc = new Map();
  for (const name of names) {
    if (typeof name !== 'string')
      throw located(31120, '$unset specification must be a string or an array containing only string values');
    if (exclusion.has(name)) throw located(31250, `Invalid $unset :: caused by :: Path collision at ${name}`);
    exclusion.set(name, false);
  }
  return project('$unset', exclusion, context);
}

/** `$replaceRoot` and `$replaceWith`. */
export function compileReplaceRoot(newRoot: Value, context: QueryContext, name: string): Transform {
  const expression = compileExpression(newRoot, context);
  const label = name === '$replaceWith' ? "'replacement document'" : "'newRoot' expression ";
  return (doc) => {
    const value = expression(rootScope(doc));
    if (isDoc(value)) return value;
    throw located(
      40228,
      `${label} must evaluate to an object, but resulting value was: ${valueText(value)}. Type of resulting value: '${typeName(value)}'. Input document: ${valueText(doc)}`,
    );
  };
}
