import type { Doc, Value } from '../../bson/index.ts';
import { located, parsedIn } from '../error.ts';
import { compileExpression, isOperatorDoc, rootScope } from '../expressions/index.ts';
import { checkedParts } from '../path.ts';
import type { QueryContext } from '../types.ts';
import { format, isArray, isDoc, typeName, valueText } from '../value.ts';
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
  parsedIn(`Invalid ${name}`, () => {
    new AddedPaths(spec).check();
    addFields(tree, spec, context);
  });
  return (doc) => applyTree(tree, 'keep', doc);
}

/** The paths that an `$addFields` sets, checked before anything is compiled (`ProjectionSpecValidator`). */
class AddedPaths {
  readonly #spec: Doc;
  readonly #seen = new Set<string>();
  /** By each path above some that were seen, the first of them. */
  readonly #below = new Map<string, string>();

  constructor(spec: Doc) {
    this.#spec = spec;
  }

  check(): void {
    for (const [path, value] of this.#spec) this.#value(checkedParts(path), value);
  }

  #value(parts: readonly string[], value: Value): void {
    if (isDoc(value)) this.#within(parts, value);
    else this.#add(parts);
  }

  #within(parts: readonly string[], value: Doc): void {
    for (const [name, inner] of value) {
      if (name.startsWith('$')) {
        if (value.size > 1) {
          throw located(
            40181,
            `an expression specification must contain exactly one field, the name of the expression. Found ${value.size} fields in ${format(value)}, while parsing object ${format(this.#spec)}`,
          );
        }
        this.#add(parts);
      } else if (name.includes('.')) {
        throw located(40183, `cannot use dotted field name '${name}' in a sub object: ${format(this.#spec)}`);
      } else this.#value(checkedParts([...parts, name].join('.')), inner);
    }
  }

  #add(parts: readonly string[]): void {
    const path = parts.join('.');
    const above = parts.slice(1).map((_, at) => parts.slice(0, at + 1).join('.'));
    const other = [path, ...above].find((each) => this.#seen.has(each)) ?? this.#below.get(path);
    if (other !== undefined) {
      throw located(
        40176,
        `specification contains two conflicting paths. Cannot specify both '${path}' and '${other}': ${format(this.#spec)}`,
      );
    }
    this.#seen.add(path);
    for (const each of above) if (!this.#below.has(each)) this.#below.set(each, path);
  }
}

function addFields(parent: Branch, spec: Doc, context: QueryContext): void {
  for (const [path, value] of spec) {
    const parts = checkedParts(path);
    if (isDoc(value) && value.size > 0 && !isOperatorDoc(value)) addFields(descend(parent, parts), value, context);
    else {
      const node = { kind: 'compute', expression: compileExpression(value, context) } as const;
      descend(parent, parts.slice(0, -1)).children.set(parts.at(-1)!, node);
    }
  }
}

function descend(parent: Branch, parts: readonly string[]): Branch {
  let branch = parent;
  for (const part of parts) {
    const child = branch.children.get(part);
    const next = child?.kind === 'branch' ? child : newBranch();
    branch.children.set(part, next);
    branch = next;
  }
  return branch;
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
