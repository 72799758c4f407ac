import { compare, type Doc, encodeKey, type Value } from '../../bson/index.ts';
import { located } from '../error.ts';
import { compileExpression, rootScope, type Scope } from '../expressions/index.ts';
import { intOrLong } from '../number.ts';
import type { PipelineContext } from '../types.ts';
import { isDoc, MISSING } from '../value.ts';
import { compileAccumulations, type Group } from './accumulation.ts';
import { Held } from './memory.ts';
import { type Stage, type StageCompiler, streamOf, whole } from './stage.ts';

export const group: StageCompiler = (spec, { context }) => {
  if (!isDoc(spec)) throw located(15947, "a group's fields must be specified in an object");
  if (!spec.has('_id')) throw located(15955, 'a group specification must include an _id');
  const id = compileExpression(spec.get('_id'), context);
  const start = compileAccumulations(new Map([...spec].filter(([name]) => name !== '_id')), context);
  const collects = [...spec.values()].some((field) => isDoc(field) && COLLECTING.some((name) => field.has(name)));
  return grouping((scope) => orNull(id(scope)), start, context, collects);
};

/** Accumulators that hold on to what they are given. */
const COLLECTING = ['$push', '$addToSet', '$mergeObjects', '$concatArrays', '$setUnion'];

const groupTooLarge = () =>
  "Exceeded memory limit for $group, but didn't allow external sort. Pass allowDiskUse:true to opt in.";

export const sortByCount: StageCompiler = (spec, { context }) => {
  const isOperator = isDoc(spec) && spec.keys().next().value?.startsWith('$') === true;
  if (isDoc(spec) ? !isOperator : !(typeof spec === 'string' && spec.startsWith('$'))) {
    throw located(
      40149,
      'the sortByCount field must be defined as a $-prefixed path or an expression inside an object',
    );
  }
  const id = compileExpression(spec, context);
  const groups = grouping((scope) => orNull(id(scope)), compileAccumulations(COUNT, context), context);
  const order = (left: Doc, right: Doc) => compare(right.get('count'), left.get('count'));
  return (source) => whole((docs) => docs.sort(order))(groups(source));
};

/** The output of stages that are given none. */
export const COUNT: Doc = new Map([['count', new Map([['$sum', intOrLong(1)]])]]);

/** Groups by the value that `idOf` gives, in order of first appearance. Equal numbers of other types are one group. */
export function grouping(
  idOf: (scope: Scope) => Value,
  start: (scope: Scope) => Group,
  context: PipelineContext,
  collects = false,
): Stage {
  const { collator } = context;
  return async function* (source) {
    const memory = new Held(context, groupTooLarge);
    const groups = new Map<string, { id: Value; group: Group }>();
    for await (const batch of source) {
      for (const doc of batch) {
        const scope = rootScope(doc);
        const id = idOf(scope);
        const key = encodeKey(id, false, collator);
        let entry = groups.get(key);
        if (!entry) {
          entry = { id, group: start(scope) };
          groups.set(key, entry);
          memory.add(new Map([['_id', id]]));
        }
        if (collects) memory.add(doc);
        entry.group.add(scope);
      }
    }
    yield* streamOf(finished(groups.values()));
  };
}

function* finished(groups: Iterable<{ id: Value; group: Group }>): Generator<Doc> {
  for (const { id, group } of groups) yield group.finish(new Map([['_id', id]]));
}

function orNull(value: ReturnType<ReturnType<typeof compileExpression>>): Value {
  return value === MISSING ? null : value;
}
