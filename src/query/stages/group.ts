import { CodedError } from '../../base/index.ts';
import { type Doc, encodeKey, Int32, type Value } from '../../bson/index.ts';
import { located } from '../error.ts';
import { compileExpression, type Expression, rootScope, type Scope } from '../expressions/index.ts';
import { intOrLong } from '../number.ts';
import { sizeOfValue } from '../size.ts';
import type { PipelineContext } from '../types.ts';
import { isDoc, isNumeric, orNull } from '../value.ts';
import { compileAccumulations, type Group } from './accumulation.ts';
import { Aside, MAX_DEPTH } from './aside.ts';
import { GROUP_BYTES, GroupTable, ITEMS, type Item, Unfinished } from './group-table.ts';
import { GroupWork } from './group-work.ts';
import { roomFor } from './memory.ts';
import { sort } from './simple.ts';
import { type Stage, type StageCompiler, streamOf } from './stage.ts';

export const group: StageCompiler = (spec, { context }) => {
  if (!isDoc(spec)) throw located(15947, "a group's fields must be specified in an object");
  const id = compileId(spec.get('_id'), context);
  const fields = new Map([...spec].filter(([name]) => name !== '_id'));
  const start = compileAccumulations(fields, context);
  if (!spec.has('_id')) throw located(15955, 'a group specification must include an _id');
  const work = context.explained ? new GroupWork(fields.keys()) : undefined;
  const stage = grouping((scope) => orNull(id(scope)), start, context, work);
  return work ? Object.assign(stage, { figures: () => work.figures() }) : stage;
};

function compileId(id: Value, context: PipelineContext): Expression {
  const included = isDoc(id) && [...id].some(([, value]) => isNumeric(value) || typeof value === 'boolean');
  if (included && !id.keys().next().value!.startsWith('$')) {
    throw located(17390, '$group does not support inclusion-style expressions');
  }
  return compileExpression(id, context);
}

const groupTooLarge = () =>
  new CodedError(
    'QueryExceededMemoryLimitNoDiskUseAllowed',
    "Exceeded memory limit for $group, but didn't allow external sort. Pass allowDiskUse:true to opt in.",
  );

export const sortByCount: StageCompiler = (spec, env) => {
  if (!isDoc(spec) && typeof spec !== 'string') {
    throw located(40149, 'the sortByCount field must be specified as a string or as an object');
  }
  const front = isDoc(spec) ? spec.keys().next().value : spec;
  if (!front?.startsWith('$')) {
    throw located(
      isDoc(spec) ? 40147 : 40148,
      'the sortByCount field must be defined as a $-prefixed path or an expression inside an object',
    );
  }
  const id = compileExpression(spec, env.context);
  const groups = grouping((scope) => orNull(id(scope)), compileAccumulations(COUNT, env.context), env.context);
  const sorted = sort(BY_COUNT, env);
  return (source) => sorted(groups(source));
};

const BY_COUNT: Doc = new Map([['count', new Int32(-1)]]);

/** The output of stages that are given none. */
export const COUNT: Doc = new Map([['count', new Map([['$sum', intOrLong(1)]])]]);

/** Groups by the value that `idOf` gives. Equal numbers of other types are one group. */
export function grouping(
  idOf: (scope: Scope) => Value,
  start: (scope: Scope) => Group,
  context: PipelineContext,
  work?: GroupWork,
): Stage {
  return (source) => grouped(source, { idOf, start, context, work }, 0);
}

interface Grouping {
  idOf(scope: Scope): Value;
  start(scope: Scope): Group;
  readonly context: PipelineContext;
  readonly work: GroupWork | undefined;
}

/**
 * The groups in order of first appearance, while there is room. Where they take too much of it, the largest part of them
 * by a hash of their ids is put aside, and with it all that comes for that part: part by part this is grouped later, so
 * that each has room (hybrid hash aggregation).
 */
async function* grouped(source: AsyncIterable<Item[]>, grouping: Grouping, depth: number): AsyncGenerator<Doc[]> {
  const { idOf, start, context, work } = grouping;
  const { limit, size, weight, beyond } = roomFor(context, 'group', groupTooLarge);
  const aside =
    beyond && typeof beyond !== 'function' && depth < MAX_DEPTH
      ? new Aside<Item>(beyond, ITEMS, limit / 4, depth)
      : undefined;
  const table = new GroupTable(aside);
  try {
    for await (const batch of source) {
      for (const item of batch) {
        const scope = item instanceof Unfinished ? undefined : rootScope(item);
        const id = item instanceof Unfinished ? item.id : idOf(scope!);
        const key = encodeKey(id, false, context.collator);
        let entry = table.get(key);
        if (!entry) {
          const part = table.partOf(key);
          if (table.isAside(part)) {
            aside!.put(part, item, item instanceof Unfinished ? item.bytes : size(item));
            continue;
          }
          // What an accumulator begins with may hang on the id alone (`document_source_group_base.cpp`).
          const group = start(rootScope(isDoc(id) ? id : new Map()));
          const base = weight * sizeOfValue(id) + (aside ? GROUP_BYTES : 0);
          entry = { id, group, part, base, bytes: 0 };
          table.add(key, entry);
        }
        if (item instanceof Unfinished) entry.group.load(item.saved);
        else entry.group.add(scope!);
        // Without a limit nobody asks what is held.
        if (weight === 0) continue;
        table.measure(entry, entry.base + weight * entry.group.held);
        if (table.bytes <= limit) continue;
        if (typeof beyond === 'function') throw beyond();
        table.evict(work);
      }
      await aside?.write();
    }
    yield* streamOf(table.finished(work));
    for (const part of aside?.parts() ?? []) yield* grouped(part, grouping, depth + 1);
  } finally {
    work?.stored(aside?.bytes ?? 0);
    await aside?.close();
  }
}
