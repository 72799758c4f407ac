import { CodedError } from '../../base/index.ts';
import type { Doc, Value } from '../../bson/index.ts';
import { located } from '../error.ts';
import { rootScope } from '../expressions/index.ts';
import type { MergeItem } from '../types.ts';
import { type Found, isDoc, MISSING, typeName } from '../value.ts';
import { checkFields, withoutNulls } from './idl.ts';
import { mergeKey, parseMerge } from './merge-spec.ts';
import { collect, type StageCompiler, streamOf, whole } from './stage.ts';
import { checkTarget, invalidTarget, isValidTarget, type Target, writeTarget } from './write-target.ts';

/** How many documents `$merge` hands over at once. */
const MERGE_BATCH = 1000;

/** `$out`: the result becomes a collection's content, when all of it is there. */
export const out: StageCompiler = (spec, { context }) => {
  const { db, coll } = outTarget(spec, context.db);
  if (!isValidTarget({ db, coll })) throw invalidTarget(`Invalid $out target namespace, ${db}.${coll}`);
  checkTarget('$out', { db, coll }, { special: 17385, internal: 31321, cannot: "Can't" });
  return whole(async (docs) => {
    await context.replaceCollection(db, coll, docs);
    return [];
  });
};

function outTarget(spec: Value, db: string): Target {
  if (typeof spec === 'string') return { db, coll: spec };
  if (!isDoc(spec)) {
    throw located(16990, `$out only supports a string or object argument, but found ${typeName(spec)}`);
  }
  const given = withoutNulls(spec);
  checkFields('$out', given, ['db', 'coll', 'timeseries'], ['db', 'coll']);
  if (given.has('timeseries')) throw new CodedError('NotImplemented', 'DiscoDB has no time-series collections');
  return writeTarget('$out', given, db);
}

/** `$merge`: hands over batches of documents, each with the values that it is found by. */
export const merge: StageCompiler = (spec, { context }) => {
  const { variables, ...parsed } = parseMerge(spec, context);
  const generated = parsed.on.includes('_id');
  const itemOf = (given: Doc): MergeItem => {
    const doc = generated && !given.has('_id') ? new Map<string, Value>([['_id', context.newId()], ...given]) : given;
    const scope = rootScope(doc);
    return {
      doc,
      key: mergeKey(doc, parsed.on),
      // What is missing leaves its variable undefined.
      variables: new Map(
        variables
          .map(({ name, expression }): [string, Found] => [name, expression(scope)])
          .filter(([, value]) => value !== MISSING),
      ),
    };
  };
  // What it finds wrong with the target is wrong with the stage.
  context.mergeInto(parsed);
  return async function* (source) {
    const target = context.mergeInto(parsed);
    // What is written where it is read from could be met again.
    const own = parsed.into.db === context.db && parsed.into.coll === context.collection;
    let held: MergeItem[] = [];
    for await (const batch of own ? streamOf(await collect(source)) : source) {
      for (const doc of batch) {
        held.push(itemOf(doc));
        if (held.length < MERGE_BATCH) continue;
        await target.write(held);
        held = [];
      }
    }
    if (held.length > 0) await target.write(held);
    await target.durable();
    yield* [];
  };
};
