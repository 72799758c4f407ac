import { CodedError, type Env } from '../../base/index.ts';
import { type Doc, doc as literal, type Value } from '../../bson/index.ts';
import { compileFilter, type QueryContext } from '../../query/index.ts';
import type { Engine, Namespace, UpdateStatement } from '../contract.ts';
import { encodeWithIdFirst } from '../document-id.ts';
import { eachMatch, type Work } from '../match.ts';
import type { Namespaces } from '../namespaces.ts';
import { WriteBatch } from '../write-batch.ts';

/** `$out`: the old documents go and the new ones come in one group of the log, as far as memory allows. */
export async function replaceContent(
  env: Env,
  namespaces: Namespaces,
  ns: Namespace,
  docs: readonly Doc[],
  bypassValidation: boolean | undefined,
): Promise<void> {
  const handle = await namespaces.ensure(ns);
  const loaded = await handle.load();
  // Before anything goes: it is all of them or none.
  if (!bypassValidation) for (const doc of docs) loaded.validation?.check(doc);
  const batch = new WriteBatch(loaded, { ordered: true, context: { now: new Date(0), random: () => 0 } });
  await batch.carryOut(replacement(env, batch, docs));
  await batch.result().durable;
}

function* replacement(env: Env, { loaded, options }: WriteBatch, docs: readonly Doc[]): Work<void> {
  const { collection } = loaded;
  const everything = compileFilter(new Map(), options.context);
  yield* eachMatch(loaded, { filter: everything, limit: 0 }, ({ slot, bytes, doc }) =>
    collection.remove(slot, bytes, () => doc),
  );
  for (const doc of docs) collection.insert(encodeWithIdFirst(doc, env), () => doc);
}

/** `$merge`: one update or insert for each document, all in one commit as far as memory allows. */
export async function mergeInto(
  engine: Engine,
  source: Namespace,
  context: QueryContext,
  spec: Doc,
  docs: readonly Doc[],
  bypassValidation: boolean | undefined,
): Promise<void> {
  const ns = target(source, spec.get('into'));
  const given = spec.get('let');
  const variables = new Map([...(context.variables ?? []), ...(given instanceof Map ? given : [])]);
  const matched = spec.get('whenMatched') ?? 'merge';
  const notMatched = spec.get('whenNotMatched') ?? 'insert';
  const on = spec.get('on') ?? '_id';
  // The pipeline's, whatever the target's own is.
  const collation = context.collator?.toDoc() ?? literal({ locale: 'simple' });
  const fields = (Array.isArray(on) ? on : [on]).map(String);
  if (notMatched === 'fail')
    throw new CodedError('NotImplemented', "$merge with whenNotMatched 'fail' is not implemented");
  if (matched === 'fail') throw new CodedError('NotImplemented', "$merge with whenMatched 'fail' is not implemented");
  const statements = docs.map((doc): UpdateStatement => {
    const filter: Doc = new Map(fields.map((field) => [field, doc.get(field) ?? null]));
    return { filter, update: change(doc, matched), multi: false, upsert: notMatched === 'insert', collation };
  });
  // A pipeline sees its own document as `$$new`, so each statement is a command of its own.
  const groups = Array.isArray(matched) ? statements.map((statement) => [statement]) : [statements];
  const results = await Promise.all(
    groups.map((group, at) => {
      const own = Array.isArray(matched) ? { variables: new Map([...variables, ['new', docs[at]!]]) } : { variables };
      return engine.update(ns, group, { ordered: true, bypassValidation, context: { ...context, ...own } });
    }),
  );
  for (const { errors } of results) if (errors[0]) throw errors[0].error;
  await Promise.all(results.map(({ durable }) => durable));
}

function target(source: Namespace, into: Value | undefined): Namespace {
  if (typeof into === 'string') return { db: source.db, coll: into };
  if (into instanceof Map) return { db: String(into.get('db') ?? source.db), coll: String(into.get('coll')) };
  throw new CodedError('FailedToParse', '$merge requires a collection name in its into field');
}

function change(doc: Doc, whenMatched: Value): Doc | Doc[] {
  if (Array.isArray(whenMatched)) return whenMatched.filter((stage) => stage instanceof Map);
  if (whenMatched === 'replace') return doc;
  if (whenMatched === 'keepExisting') return literal({ $setOnInsert: doc });
  return literal({ $set: doc });
}
