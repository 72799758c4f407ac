import { CodedError } from '../../base/index.ts';
import type { Doc, Value } from '../../bson/index.ts';
import { failedToParse, located, typeMismatch } from '../error.ts';
import { isArray, isDoc, typeName } from '../value.ts';
import { type StageCompiler, whole } from './stage.ts';

/** How many documents `$merge` hands over at once. */
const MERGE_BATCH = 1000;

/** `$out`: the result becomes a collection's content, when all of it is there. */
export const out: StageCompiler = (spec, { context }) => {
  const { db, coll } = target(spec, '$out', context.db);
  return whole(async (docs) => {
    await context.replaceCollection(db, coll, docs);
    return [];
  });
};

const WHEN_MATCHED = ['replace', 'keepExisting', 'merge', 'fail'];
const WHEN_NOT_MATCHED = ['insert', 'discard', 'fail'];

/** `$merge`: hands the context batches and a specification with every option written out. */
export const merge: StageCompiler = (spec, { context }) => {
  const full = fullMerge(spec, context.db);
  return async function* (source) {
    let held: Doc[] = [];
    for await (const batch of source) {
      for (const doc of batch) {
        held.push(doc);
        if (held.length < MERGE_BATCH) continue;
        await context.merge(full, held);
        held = [];
      }
    }
    if (held.length > 0) await context.merge(full, held);
    yield* [];
  };
};

function fullMerge(spec: Value, db: string): Doc {
  if (typeof spec !== 'string' && !isDoc(spec)) {
    throw typeMismatch(`$merge requires a string or object argument, but found ${typeName(spec)}`);
  }
  const given: Doc = typeof spec === 'string' ? new Map([['into', spec]]) : spec;
  const into = target(given.get('into'), '$merge', db);
  const matched = given.get('whenMatched') ?? 'merge';
  if (!isArray(matched) && !(typeof matched === 'string' && WHEN_MATCHED.includes(matched))) {
    throw new CodedError(
      'BadValue',
      `Enumeration value '${String(matched)}' for field 'whenMatched' is not a valid value.`,
    );
  }
  const notMatched = given.get('whenNotMatched') ?? 'insert';
  if (typeof notMatched !== 'string' || !WHEN_NOT_MATCHED.includes(notMatched)) {
    throw new CodedError(
      'BadValue',
      `Enumeration value '${String(notMatched)}' for field 'whenNotMatched' is not a valid value.`,
    );
  }
  const on = given.get('on') ?? '_id';
  const full = new Map<string, Value>([
    [
      'into',
      new Map([
        ['db', into.db],
        ['coll', into.coll],
      ]),
    ],
    ['on', isArray(on) ? on : [on]],
    ['whenMatched', matched],
    ['whenNotMatched', notMatched],
  ]);
  if (given.has('let')) full.set('let', given.get('let'));
  return full;
}

function target(spec: Value, stage: string, db: string): { db: string; coll: string } {
  if (typeof spec === 'string') return { db, coll: spec };
  if (!isDoc(spec))
    throw located(16990, `${stage} only supports a string or object argument, but found ${typeName(spec)}`);
  const coll = spec.get('coll');
  const named = spec.get('db') ?? db;
  if (typeof coll !== 'string' || typeof named !== 'string') {
    throw failedToParse(`${stage} requires 'db' and 'coll' to be strings`);
  }
  return { db: named, coll };
}
