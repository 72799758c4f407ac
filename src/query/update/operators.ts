import { CodedError } from '../../base/index.ts';
import { compare, type Doc, type Value } from '../../bson/index.ts';
import { failedToParse } from '../error.ts';
import { field } from '../path.ts';
import type { QueryContext, Updater } from '../types.ts';
import { element, type Found, format, isDoc, MISSING, typeName } from '../value.ts';
import type { ArrayFilters } from './array-filters.ts';
import { addToSet, pop, pull, pullAll, push } from './array-operators.ts';
import { filterName } from './path.ts';
import { addRename, type Rename, without } from './rename.ts';
import { arithmetic, bit, currentDate, extreme, set, unset } from './scalar-operators.ts';
import { addLeaf, applyBranch, type Branch, type Leaf, newBranch, type UpdateNode } from './tree.ts';

type MakeLeaf = (name: string, operand: Value, context: QueryContext) => Leaf;

const OPERATORS: Readonly<Record<string, MakeLeaf>> = {
  $set: (_, operand) => set(operand),
  $setOnInsert: (_, operand) => set(operand, true),
  $unset: () => unset(),
  $inc: (name, operand) => arithmetic('$inc', name, operand),
  $mul: (name, operand) => arithmetic('$mul', name, operand),
  $min: (_, operand, context) => extreme('$min', operand, context),
  $max: (_, operand, context) => extreme('$max', operand, context),
  $currentDate: (_, operand, context) => currentDate(operand, context.now),
  $bit: (_, operand) => bit(operand),
  $push: (_, operand, context) => push(operand, context),
  $addToSet: (_, operand, context) => addToSet(operand, context),
  $pop: pop,
  $pull: (_, operand, context) => pull(operand, context),
  $pullAll: (_, operand, context) => pullAll(operand, context),
};

/** Compiles a document of update operators. */
export function compileOperators(update: Doc, context: QueryContext, filters: ArrayFilters): Updater {
  const root = newBranch();
  const renames: Rename[] = [];
  const paths: string[] = [];
  for (const [operator, fields] of update) {
    for (const [path, operand] of fieldsOf(operator, fields)) {
      if (operator === '$rename') {
        const rename = addRename(root, path, operand, filters);
        renames.push(rename);
        paths.push(rename.from, rename.to);
      } else {
        addLeaf(root, path, filters, () => OPERATORS[operator]!(path, operand, context));
        paths.push(path);
      }
    }
  }
  checkUsed(paths, filters, update);
  return {
    kind: 'operators',
    apply: (doc, options) => applyOperators(root, renames, doc, options, filters),
  };
}

function fieldsOf(operator: string, fields: Value): Doc {
  if (operator !== '$rename' && !Object.hasOwn(OPERATORS, operator)) {
    throw failedToParse(
      `Unknown modifier: ${operator}. Expected a valid update modifier or pipeline-style update specified as an array`,
    );
  }
  if (isDoc(fields)) return fields;
  throw failedToParse(
    `Modifiers operate on fields but we found type ${typeName(fields)} instead. For example: {$mod: {<field>: ...}} not {${element(operator, fields)}}`,
  );
}

function checkUsed(paths: readonly string[], filters: ArrayFilters, update: Doc): void {
  const used = new Set(paths.flatMap((path) => path.split('.').map(filterName)));
  const unused = [...filters.keys()].filter((name) => !used.has(name)).sort()[0];
  if (unused === undefined) return;
  throw failedToParse(`The array filter for identifier '${unused}' was not used in the update ${format(update)}`);
}

function applyOperators(
  root: Branch,
  renames: readonly Rename[],
  doc: Doc,
  options: Parameters<Updater['apply']>[1],
  arrayFilters: ArrayFilters,
): Doc {
  const { positional, inserting = false } = options;
  const applied = applyBranch(root, doc, '', { doc, positional, inserting, arrayFilters });
  const updated = renames.reduce((result, rename) => without(result, rename.from.split('.')), applied as Doc);
  checkId(doc, updated, root);
  return updated;
}

/** `_id` keeps its value, type included. One that an upsert sets for the first time may be anything an `_id` may be. */
function checkId(before: Doc, after: Doc, root: Branch): void {
  if (before === after) return;
  const old = field(before, '_id');
  const current = field(after, '_id');
  if (old === MISSING || old === current) return;
  const child = root.children.get('_id');
  if (current === MISSING || child || compare(old, current) !== 0) throw immutable(old, current, child);
}

/** A field that is made within `_id` is told of otherwise than one that is changed (`modifier_node.cpp`). */
function immutable(before: Value, after: Found, node: UpdateNode | undefined, path = '_id'): CodedError {
  if (node?.kind === 'branch' && isDoc(before) && isDoc(after)) {
    const [name, child] = node.children.entries().next().value!;
    if (before.has(name)) return immutable(before.get(name), field(after, name), child, `${path}.${name}`);
    const shown = element(path.slice(path.lastIndexOf('.') + 1), after);
    return immutableField(`Updating the path '${path}' to ${shown}`);
  }
  return immutableField(`Performing an update on the path '${path}'`);
}

function immutableField(what: string): CodedError {
  return new CodedError('ImmutableField', `${what} would modify the immutable field '_id'`);
}
