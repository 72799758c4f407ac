import { compare, type Doc, encodeKey, type Value } from '../../bson/index.ts';
import { located } from '../error.ts';
import { compileExpression, rootScope, type Scope } from '../expressions/index.ts';
import { intOrLong } from '../number.ts';
import type { PipelineContext } from '../types.ts';
import { isDoc, MISSING } from '../value.ts';
import { compileAccumulations, type Group } from './accumulation.ts';
import { Aside, MAX_DEPTH } from './aside.ts';
import { roomFor } from './memory.ts';
import { type Stage, type StageCompiler, type Stream, streamOf, whole } from './stage.ts';

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

/** What a group takes in memory beside its id and what it collects, about. */
const GROUP_BYTES = 500;

/**
 * Groups by the value that `idOf` gives, in order of first appearance. Equal numbers of other types are one group. Where
 * groups take too much memory, those that are there go on, and the documents of others are put aside, to be grouped
 * when these are done: part by part, so that each part has room (hybrid hash aggregation).
 */
export function grouping(
  idOf: (scope: Scope) => Value,
  start: (scope: Scope) => Group,
  context: PipelineContext,
  collects = false,
): Stage {
  const { collator } = context;
  async function* grouped(source: Stream, depth: number): AsyncGenerator<Doc[]> {
    const { limit, size, beyond } = roomFor(context, groupTooLarge);
    const aside =
      beyond && typeof beyond !== 'function' && depth < MAX_DEPTH ? new Aside(beyond, limit / 4, depth) : undefined;
    const groups = new Map<string, { id: Value; group: Group }>();
    let bytes = 0;
    const take = (taken: number) => {
      bytes += taken;
      if (bytes > limit && typeof beyond === 'function') throw beyond();
    };
    try {
      for await (const batch of source) {
        for (const doc of batch) {
          const scope = rootScope(doc);
          const id = idOf(scope);
          const key = encodeKey(id, false, collator);
          let entry = groups.get(key);
          if (!entry && aside && bytes > limit) {
            aside.put(key, doc, size(doc));
            continue;
          }
          if (!entry) {
            entry = { id, group: start(scope) };
            groups.set(key, entry);
            take(size(new Map([['_id', id]])) + (aside ? GROUP_BYTES : 0));
          }
          if (collects) take(size(doc));
          entry.group.add(scope);
        }
        await aside?.write();
      }
      yield* streamOf(finished(groups.values()));
      groups.clear();
      for (const part of aside?.parts() ?? []) yield* grouped(part, depth + 1);
    } finally {
      await aside?.close();
    }
  }
  return (source) => grouped(source, 0);
}

function* finished(groups: Iterable<{ id: Value; group: Group }>): Generator<Doc> {
  for (const { id, group } of groups) yield group.finish(new Map([['_id', id]]));
}

function orNull(value: ReturnType<ReturnType<typeof compileExpression>>): Value {
  return value === MISSING ? null : value;
}
