import { CodedError, type Env } from '../base/index.ts';
import { type Doc, encode, doc as literal, type Value } from '../bson/index.ts';
import { checkPipeline, compileFilter, type PipelineContext, runPipeline } from '../query/index.ts';
import { nsText } from './collection.ts';
import type { AggregateOptions, DocCursor, Engine, FindQuery, Namespace } from './contract.ts';
import { emptyCursor, QueueCursor } from './cursor.ts';
import { checkQuery, find, findDocs } from './find.ts';
import { mergeInto, replaceContent } from './merge.ts';
import type { Namespaces } from './namespaces.ts';

/** Documents encoded between two looks at whether the client still wants more. */
const OUTPUT_BATCH = 128;

/** Runs a pipeline: what stands in front goes down to `find`, the rest works on decoded documents. */
export async function aggregate(
  engine: Engine,
  env: Env,
  namespaces: Namespaces,
  ns: Namespace,
  pipeline: readonly Doc[],
  query: AggregateOptions,
): Promise<DocCursor> {
  checkPipeline(pipeline);
  const { pushed, rest } = pushDown(pipeline, query);
  const handle = namespaces.handle(ns);
  if (!handle) checkQuery(pushed);
  if (rest.length === 0) return handle ? find(env, handle, pushed) : emptyCursor();
  const source = handle ? findDocs(env, handle, pushed) : nothing();
  const { metadata } = compileFilter(pushed.filter, query.context);
  const context = { ...pipelineContext(engine, env, namespaces, ns, query), metadata };
  return new QueueCursor(encoded(runPipeline(rest, source, context)));
}

/** `$match`, `$sort`, `$skip`, `$limit` at the head, in the order in which a find does them. */
function pushDown(pipeline: readonly Doc[], query: AggregateOptions): { pushed: FindQuery; rest: readonly Doc[] } {
  let pushed: FindQuery = { ...query, filter: new Map(), skip: 0, limit: 0 };
  let done = 0;
  for (const stage of pipeline) {
    const [name, value] = stage.entries().next().value ?? [];
    const free = !pushed.sort && pushed.skip === 0 && pushed.limit === 0;
    if (name === '$match' && value instanceof Map && done === 0) pushed = { ...pushed, filter: value };
    else if (name === '$sort' && value instanceof Map && free) pushed = { ...pushed, sort: value };
    else if (name === '$skip' && pushed.skip === 0 && pushed.limit === 0) pushed = { ...pushed, skip: count(value) };
    else if (name === '$limit' && pushed.limit === 0) pushed = { ...pushed, limit: count(value) };
    else break;
    if (pushed.skip < 0 || pushed.limit < 0)
      return { pushed: { ...query, filter: new Map(), skip: 0, limit: 0 }, rest: pipeline };
    done++;
  }
  return { pushed, rest: pipeline.slice(done) };
}

/** -1 for what the stage itself must refuse. */
function count(value: Value | undefined): number {
  const number = Number(value);
  return Number.isSafeInteger(number) && number > 0 ? number : -1;
}

function pipelineContext(
  engine: Engine,
  env: Env,
  namespaces: Namespaces,
  ns: Namespace,
  query: AggregateOptions,
): PipelineContext {
  const all = { ...query, hint: undefined, filter: new Map(), skip: 0, limit: 0 };
  // What `$text` searches is for the first stage alone, which has been taken out.
  const { textIndex: _, ...context } = query.context;
  return {
    ...context,
    db: ns.db,
    collection: ns.coll,
    async read(coll) {
      const handle = namespaces.handle({ db: ns.db, coll });
      const docs: Doc[] = [];
      if (handle) for await (const batch of findDocs(env, handle, all)) docs.push(...batch);
      return docs;
    },
    replaceCollection: (db, coll, docs) => replaceContent(env, namespaces, { db, coll }, docs, query.bypassValidation),
    merge: (spec, docs) => mergeInto(engine, ns, query.context, spec, docs, query.bypassValidation),
    source: (stage, spec) => stageSource(engine, ns, env, stage, spec),
  };
}

/** The stages that begin a pipeline with something other than the collection's documents. */
async function stageSource(engine: Engine, ns: Namespace, env: Env, stage: string, spec: Value): Promise<Doc[]> {
  const head = { ns: nsText(ns), localTime: new Date(env.clock.now()) };
  if (stage === '$currentOp' || stage === '$listSessions' || stage === '$listLocalSessions') return [];
  if (stage === '$indexStats') {
    const info = engine.collection(ns);
    return (info?.indexes ?? []).map(({ name, key, spec: definition }) => literal({ name, key, spec: definition }));
  }
  if (stage === '$collStats' && spec instanceof Map) {
    const { count, size, indexSizes } = await engine.stats(ns);
    const doc = literal(head);
    if (spec.has('count')) doc.set('count', literal({ count }).get('count') as Value);
    if (spec.has('latencyStats')) doc.set('latencyStats', new Map());
    if (spec.has('storageStats')) {
      const sizes = Object.fromEntries(indexSizes);
      const totalIndexSize = [...indexSizes.values()].reduce((sum, bytes) => sum + bytes, 0);
      const avgObjSize = count > 0 ? Math.floor(size / count) : 0;
      const stats = { size, count, avgObjSize, storageSize: size, nindexes: indexSizes.size, totalIndexSize };
      doc.set('storageStats', literal({ ...stats, totalSize: size + totalIndexSize, indexSizes: sizes }));
    }
    return [doc];
  }
  throw new CodedError('NotImplemented', `the stage ${stage} is not implemented`);
}

async function* encoded(batches: AsyncIterable<Doc[]>): AsyncGenerator<Uint8Array[]> {
  for await (const batch of batches) {
    for (let at = 0; at < batch.length; at += OUTPUT_BATCH) yield batch.slice(at, at + OUTPUT_BATCH).map(encode);
  }
}

async function* nothing(): AsyncGenerator<Doc[]> {}
