import { CodedError } from '../../base/index.ts';
import type { Doc, Value } from '../../bson/index.ts';
import { located } from '../error.ts';
import { compileFilter } from '../filter/index.ts';
import { nonNegativeLong } from '../integer.ts';
import { carry, checkMetaSort, metadataOf, withMore } from '../metadata.ts';
import { clampedLong, intOrLong } from '../number.ts';
import { compileAddFields, compileProject, compileReplaceRoot, compileUnset } from '../projection/index.ts';
import { compileSort, compileSortKey } from '../sort.ts';
import type { PipelineContext } from '../types.ts';
import { isDoc, isNumeric, type Numeric, typeName } from '../value.ts';
import { checkFields } from './idl.ts';
import { sortedByKey } from './keyed-sort.ts';
import { roomFor, sortTooLarge } from './memory.ts';
import { Sorter, SortWork } from './sorter.ts';
import { DOCUMENTS, type Keyed } from './spool.ts';
import { mapped, type Stage, type StageCompiler, type StageEnv, streamOf } from './stage.ts';

/** The stages that are another part of this room, applied to a stream. */
export const match: StageCompiler = (spec, { context }) => {
  if (!isDoc(spec)) throw located(15959, 'the match filter must be an expression in an object');
  const filter = compileFilter(spec, context);
  return async function* (source) {
    for await (const batch of source) yield batch.filter((doc) => filter.matches(doc));
  };
};

/** `keep` is how many from the front anybody looks at. */
export function sort(spec: Value, { context }: StageEnv, keep = Number.POSITIVE_INFINITY): Stage {
  if (!isDoc(spec)) throw located(15973, 'the $sort key specification must be an object');
  if (spec.size === 0) throw located(15976, '$sort stage must have at least one sort key');
  const order = compileSort(spec, context.collator);
  checkMetaSort(spec, context.metadata);
  const keyOf = context.sortKeys ? compileSortKey(spec, context.collator) : undefined;
  const byAll = (left: Doc, right: Doc) => order(left, right, metadataOf(left), metadataOf(right));
  const work = new SortWork();
  const stage: Stage = async function* (source) {
    const room = roomFor(context, 'sort', sortTooLarge);
    const sorter = new Sorter({ ...room, compare: byAll, keep, codec: DOCUMENTS, work });
    try {
      for await (const batch of source) await sorter.add(batch);
      for await (const batch of sorter.sorted()) {
        // A document is told by what it was sorted last.
        if (keyOf) {
          for (const doc of batch) carry(doc, withMore(metadataOf(doc), { sortKey: keyOf(doc, metadataOf(doc)) }));
        }
        yield* streamOf(batch);
      }
    } finally {
      await sorter.close();
    }
  };
  const figures = (): Doc => new Map([['totalDataSizeSortedBytesEstimate', BigInt(work.sorted)], ...work.spilling()]);
  return Object.assign(stage, { figures });
}

export const skip: StageCompiler = (spec) => {
  const count = countOf(spec, '$skip', 5107200);
  return async function* (source) {
    let left = Number(count);
    for await (const batch of source) {
      const from = Math.min(left, batch.length);
      left -= from;
      yield from === 0 ? batch : batch.slice(from);
    }
  };
};

export const limit: StageCompiler = (spec) => {
  const count = countOf(spec, '$limit', 5107201);
  if (count === 0n) throw located(15958, 'the limit must be positive');
  return async function* (source) {
    let left = Number(count);
    for await (const batch of source) {
      const taken = batch.length <= left ? batch : batch.slice(0, left);
      left -= taken.length;
      yield taken;
      if (left === 0) return;
    }
  };
};

function countOf(spec: Value, name: string, code: number): bigint {
  try {
    return nonNegativeLong(name, spec);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    throw located(code, `invalid argument to ${name} stage: ${error.message}`);
  }
}

export const project: StageCompiler = (spec, { context }) => mapped(compileProject(spec, context));

export const addFields: StageCompiler = (spec, { context }, name) => mapped(compileAddFields(spec, context, name));

export const unset: StageCompiler = (spec, { context }) => mapped(compileUnset(spec, context));

export const replaceWith: StageCompiler = (spec, { context }, name) => mapped(compileReplaceRoot(spec, context, name));

export const replaceRoot: StageCompiler = (spec, { context }, name) => {
  if (!isDoc(spec)) {
    throw located(40229, `expected an object as specification for $replaceRoot stage, got ${typeName(spec)}`);
  }
  checkFields('$replaceRoot', spec, ['newRoot'], ['newRoot']);
  return mapped(compileReplaceRoot(spec.get('newRoot'), context, name));
};

export const count: StageCompiler = (spec) => {
  if (typeof spec !== 'string') throw located(40156, 'the count field must be a non-empty string');
  if (spec === '') throw located(40157, 'the count field must be a non-empty string');
  if (spec.startsWith('$')) throw located(40158, 'the count field cannot be a $-prefixed path');
  if (spec.includes('\0')) throw located(40159, 'the count field cannot contain a null byte');
  if (spec.includes('.')) throw located(40160, "the count field cannot contain '.'");
  if (spec === '_id') throw located(9039800, "the count field cannot be '_id'");
  return counting(spec);
};

function counting(field: string): Stage {
  return async function* (source) {
    let total = 0;
    for await (const batch of source) total += batch.length;
    if (total > 0) yield [new Map([[field, intOrLong(total)]])];
  };
}

export const sample: StageCompiler = (spec, { context }) => {
  if (!isDoc(spec)) throw located(28745, 'the $sample stage specification must be an object');
  for (const [key, value] of spec) {
    if (key !== 'size') throw located(28748, `unrecognized option to $sample: ${key}`);
    if (!isNumeric(value)) throw located(28746, 'size argument to $sample must be a number');
  }
  if (!spec.has('size')) throw located(28749, '$sample stage must specify a size');
  const size = clampedLong(spec.get('size') as Numeric);
  if (size <= 0n) throw located(28747, 'size argument to $sample must be a positive integer');
  return drawn(Number(size), context);
};

/** Those that chance puts first. */
function drawn(size: number, context: PipelineContext): Stage {
  const order = {
    keyOf: () => context.random(),
    compare: (left: Keyed, right: Keyed) => Number(left.key) - Number(right.key),
    keep: size,
  };
  return async function* (source) {
    for await (const batch of sortedByKey(source, context, order)) yield batch.map(({ doc }) => doc);
  };
}
