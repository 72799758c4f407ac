import { CodedError } from '../../base/index.ts';
import type { Doc, Value } from '../../bson/index.ts';
import { located, parsedIn } from '../error.ts';
import { compileExpression, isOperatorName } from '../expressions/index.ts';
import { checkNoSpecialFeatures, compileFilter } from '../filter/index.ts';
import { clampedInt } from '../number.ts';
import { checkedParts } from '../path.ts';
import type { QueryContext } from '../types.ts';
import { element, format, isArray, isDoc, isNumeric, MISSING, truthy, typeName } from '../value.ts';
import { type Branch, type Mode, type Node, newBranch } from './tree.ts';

/** A parsed projection. `positional` is the path that `$` stood after. */
export interface Parsed {
  readonly tree: Branch;
  readonly mode: Mode;
  readonly positional: string | undefined;
}

/** `find` allows `$slice`, `$elemMatch` and `$` in find's meaning; `query`: whose matches `$` is of. */
export interface ParseOptions {
  readonly context: QueryContext;
  readonly find: boolean;
  readonly query?: Doc | undefined;
  /** Fields are included and excluded, and none is computed. */
  readonly plain?: boolean;
}

interface State extends ParseOptions {
  mode: 'inclusion' | 'exclusion' | undefined;
  positional: string | undefined;
  hasSlice: boolean;
  hasElemMatch: boolean;
  hasMeta: boolean;
  id: 'included' | 'excluded' | undefined;
}

/** Parses as MongoDB's `projection_parser.cpp` does, in the order of the fields. */
export function parseProjection(spec: Doc, options: ParseOptions): Parsed {
  const state: State = {
    ...options,
    mode: undefined,
    positional: undefined,
    hasSlice: false,
    hasElemMatch: false,
    hasMeta: false,
    id: undefined,
  };
  const tree = newBranch();
  let namesId = false;
  for (const [name, value] of spec) {
    namesId ||= name === '_id' || name.startsWith('_id.');
    parseField(state, tree, name, value, '');
  }
  const mode = state.mode ?? defaultMode(state);
  if (mode === 'inclusion' && !namesId) tree.children.set('_id', { kind: 'include' });
  if (mode === 'exclusion' && state.id === 'included') tree.children.delete('_id');
  return { tree, mode, positional: state.positional };
}

/** What a projection is when none of its fields says: only `_id` and find's own operators. */
function defaultMode(state: State): Mode {
  if (state.hasSlice) return state.id === 'included' ? 'inclusion' : 'exclusion';
  if (state.hasElemMatch || (state.hasMeta && !state.find)) return 'inclusion';
  return state.id === 'included' ? 'inclusion' : 'exclusion';
}

function parseField(state: State, parent: Branch, name: string, value: Value, prefix: string): void {
  const positional = state.find ? positionalAt(name) : -1;
  if (!state.find && positionalAt(name) >= 0) {
    throw located(31324, 'Cannot use positional projection in aggregation projection');
  }
  if (positional < 0) checkedParts(name);
  if (isDoc(value)) {
    if (positional >= 0) throw located(31271, 'positional projection cannot be used with an expression or sub object');
    parseDoc(state, parent, name, value, prefix);
  } else if (isNumeric(value) || typeof value === 'boolean') {
    if (truthy(value)) parseInclusion(state, parent, name, prefix, positional);
    else parseExclusion(state, parent, name, prefix);
  } else {
    if (positional >= 0) throw located(31308, 'positional projection cannot be used with a literal');
    checkMayCompute(state);
    addNode(parent, name, { kind: 'compute', expression: compileExpression(value, state.context) });
    if (state.mode === 'exclusion') {
      throw located(31310, `Cannot use an expression ${element(name, value)} in an exclusion projection`);
    }
    state.mode = 'inclusion';
  }
}

function parseInclusion(state: State, parent: Branch, name: string, prefix: string, positional: number): void {
  const isId = name === '_id' && prefix === '';
  if (positional < 0) {
    addNode(parent, name, { kind: 'include' });
    if (isId) state.id = 'included';
  } else {
    const path = name.slice(0, positional);
    checkPositional(state, name, name.slice(positional + 2));
    addNode(parent, path, { kind: 'include' });
    state.positional = prefix + path;
  }
  if (isId) return;
  if (state.mode === 'exclusion') throw located(31253, `Cannot do inclusion on field ${name} in exclusion projection`);
  state.mode = 'inclusion';
}

function checkPositional(state: State, name: string, rest: string): void {
  if (state.positional !== undefined) {
    throw located(31276, 'Cannot specify more than one positional projection per query.');
  }
  if (state.hasElemMatch) throw located(31256, 'Cannot specify positional operator and $elemMatch.');
  if (!state.query) throw located(51050, 'Projections with a positional operator require a matcher');
  if (positionalAt(rest) >= 0 || rest === '.$') {
    throw located(31287, `Cannot use positional operator twice: ${name}`);
  }
  if (name.endsWith('.$.')) throw located(31270, "Path cannot end with '.$.'");
  if (rest !== '')
    throw located(
      31394,
      `As of 4.4, it's illegal to specify positional operator in the middle of a path.Positional projection may only be used at the end, for example: a.b.$. If the query previously used a form like a.b.$.d, remove the parts following the '$' and the results will be equivalent.`,
    );
  checkNoSpecialFeatures(state.query);
}

function parseExclusion(state: State, parent: Branch, name: string, prefix: string): void {
  addNode(parent, name, { kind: 'exclude' });
  if (name === '_id' && prefix === '') {
    state.id = 'excluded';
    return;
  }
  if (state.mode === 'inclusion') throw located(31254, `Cannot do exclusion on field ${name} in inclusion projection`);
  state.mode = 'exclusion';
}

function parseDoc(state: State, parent: Branch, name: string, doc: Doc, prefix: string): void {
  const operator = doc.size === 1 ? doc.keys().next().value! : '';
  if (operator.startsWith('$')) {
    if (state.find && operator === '$slice') {
      parseFindSlice(state, parent, name, doc);
      return;
    }
    if (operator === '$elemMatch') {
      parseElemMatch(state, parent, name, doc, prefix);
      return;
    }
    parseExpression(state, parent, name, doc, operator);
    return;
  }
  if (doc.size === 0) throw located(51270, `An empty sub-projection is not a valid value. Found empty object at path`);
  const branch = newBranch();
  addNode(parent, name, branch);
  for (const [key, value] of doc) parseField(state, branch, key, value, `${prefix}${name}.`);
}

function parseExpression(state: State, parent: Branch, name: string, doc: Doc, operator: string): void {
  checkMayCompute(state);
  if (!isOperatorName(operator)) throw located(31325, `Unknown expression ${operator}`);
  const isMeta = operator === '$meta';
  if (state.mode === 'exclusion' && !isMeta) {
    throw located(31252, 'Cannot use expression other than $meta in exclusion projection');
  }
  addNode(parent, name, { kind: 'compute', expression: compileExpression(doc, state.context) });
  if (isMeta) state.hasMeta = true;
  else state.mode = 'inclusion';
}

function checkMayCompute({ plain }: State): void {
  if (!plain) return;
  const why = 'cannot use computed fields when parsing a spec in kBanComputedFields mode';
  throw located(51271, `Bad projection specification, ${why}`);
}

/** `$slice` in find's own form, or else, where that is refused, the expression of that name. */
function parseFindSlice(state: State, parent: Branch, name: string, doc: Doc): void {
  try {
    addNode(parent, name, { kind: 'change', change: sliceOf(doc.get('$slice')) });
    state.hasSlice = true;
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const reason = `${error.codeName}: ${error.message}`;
    const what = `Invalid $slice syntax. The given syntax ${format(doc)} did not match the find() syntax because :: ${reason} :: The given syntax did not match the expression $slice syntax.`;
    parsedIn(what, () => parseExpression(state, parent, name, doc, '$slice'));
  }
}

/** Which elements find's `$slice` keeps. */
function sliceOf(operand: Value): (value: Value) => Value {
  const { skip, limit } = sliceRange(operand);
  return (value) => {
    if (!isArray(value)) return value;
    const start = skip < 0 ? Math.max(0, value.length + skip) : skip;
    return value.slice(start, start + limit);
  };
}

function sliceRange(operand: Value): { skip: number; limit: number } {
  if (isNumeric(operand)) {
    const count = clampedInt(operand);
    return count < 0 ? { skip: count, limit: -count } : { skip: 0, limit: count };
  }
  if (!isArray(operand)) throw located(31273, '$slice only supports numbers and [skip, limit] arrays');
  if (operand.length !== 2) throw located(31272, '$slice array argument should be of form [skip, limit]');
  const [skip, limit] = operand;
  if (!isNumeric(skip)) {
    throw located(31257, `$slice expects the skip argument to be a number, got ${typeName(skip)}`);
  }
  if (!isNumeric(limit)) {
    throw located(31258, `$slice expects the limit argument to be a number, got ${typeName(limit)}`);
  }
  if (clampedInt(limit) <= 0) throw located(31259, `$slice limit must be positive, got ${clampedInt(limit)}`);
  return { skip: clampedInt(skip), limit: clampedInt(limit) };
}

function parseElemMatch(state: State, parent: Branch, name: string, doc: Doc, prefix: string): void {
  if (!state.find) throw new CodedError('InvalidPipelineOperator', 'Cannot use $elemMatch in this context');
  const operand = doc.get('$elemMatch');
  if (!isDoc(operand)) {
    throw located(31274, `elemMatch: Invalid argument, object required, but got ${typeName(operand)}`);
  }
  if (state.positional !== undefined) throw located(31255, 'Cannot specify positional operator and $elemMatch.');
  if (prefix !== '' || name.includes('.')) throw located(31275, 'Cannot use $elemMatch projection on a nested field.');
  const filter = compileFilter(new Map([[name, doc]]), state.context);
  checkNoSpecialFeatures(doc);
  addNode(parent, name, {
    kind: 'compute',
    expression({ root }) {
      const list = isDoc(root) ? root.get(name) : undefined;
      const matched = isDoc(root) && isArray(list) && filter.matches(root) ? filter.positional(root) : undefined;
      return matched === undefined || !isArray(list) ? MISSING : [list[matched]];
    },
  });
  state.hasElemMatch = true;
}

/** Where the first `$` part begins (its dot included), or -1. */
function positionalAt(name: string): number {
  const inside = name.indexOf('.$.');
  return inside >= 0 ? inside : name.endsWith('.$') ? name.length - 2 : -1;
}

function addNode(parent: Branch, path: string, node: Node): void {
  const parts = checkedParts(path);
  let branch = parent;
  for (const [at, part] of parts.entries()) {
    const child = branch.children.get(part);
    if (at === parts.length - 1) {
      if (child) throw located(31250, `Path collision at ${path}`);
      branch.children.set(part, node);
    } else if (!child) {
      const next = newBranch();
      branch.children.set(part, next);
      branch = next;
    } else if (child.kind === 'branch') branch = child;
    else throw located(31249, `Path collision at ${path} remaining portion ${parts.slice(at + 1).join('.')}`);
  }
}
