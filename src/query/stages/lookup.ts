import { BSONRegExp, type Doc, MAX_DOCUMENT_BYTES, type Value } from '../../bson/index.ts';
import { located } from '../error.ts';
import { compileExpression, type Expression, rootScope } from '../expressions/index.ts';
import { hasText } from '../filter/index.ts';
import { limitOf } from '../limits.ts';
import { carry, metadataOf } from '../metadata.ts';
import { parsePath, visitPath, withValue } from '../path.ts';
import { sizeOfValues } from '../size.ts';
import type { Foreign, PipelineContext } from '../types.ts';
import { type Found, isArray, isDoc, isNullish, MISSING } from '../value.ts';
import { Candidates, FieldIndex } from './candidates.ts';
import { type LookupSpec, parseLookup } from './lookup-spec.ts';
import { checkOnCollection, isOwnSource, withoutEmptyFilters } from './own-source.ts';
import { collect, gathered, type Stage, type StageEnv, streamOf, within } from './stage.ts';
import { parseUnwind } from './unwind.ts';

/** An index is asked once for so many documents. */
const JOINED_TOGETHER = 128;

/** What each of some documents is joined with. */
type Join = (docs: readonly Doc[]) => Promise<readonly Doc[][]>;

/** `$lookup`: by equal fields, by a pipeline, or both. `unwinding` is the `$unwind` of its result that follows. */
export function lookup(spec: Value, env: StageEnv, _name = '$lookup', unwinding?: Value): Stage {
  const parsed = parseLookup(spec, env.context);
  if (parsed.from !== undefined) checkOnCollection(parsed.pipeline ?? []);
  const as = parsed.as.split('.');
  const foreign = parsed.from === undefined ? undefined : env.context.foreign(parsed.from);
  const open = joinOf(parsed, env, foreign);
  const put = unwinding === undefined ? undefined : unwound(as, unwinding);
  const check = fits(parsed, env);
  const stage: Stage = async function* (source) {
    const join = open();
    for await (const batch of gathered(source, JOINED_TOGETHER)) {
      const found = await join(batch);
      yield batch.flatMap((doc, at) => {
        const joined = put ? put(doc, found[at]!) : [withValue(doc, as, check(found[at]!))];
        return joined.map((each) => carry(each, metadataOf(doc)));
      });
    }
  };
  return foreign ? Object.assign(stage, { figures: () => foreign.figures() }) : stage;
}

/** Throws where what one document is joined with takes too much memory. */
function fits({ from }: LookupSpec, { context }: StageEnv): (found: Doc[]) => Doc[] {
  const limit = limitOf(context, 'lookup');
  return (found) => {
    // So few cannot, and nobody measures them.
    if (found.length * MAX_DOCUMENT_BYTES > limit && sizeOfValues(found) > limit) {
      const message = `Total size of documents in ${from} matching pipeline's $lookup stage exceeds ${limit} bytes`;
      throw located(4568, message);
    }
    return found;
  };
}

/** As `$unwind` takes the array apart that need not be made. */
function unwound(as: readonly string[], unwinding: Value): (doc: Doc, found: readonly Doc[]) => Doc[] {
  const { index, preserve } = parseUnwind(unwinding);
  const withIndex = (doc: Doc, at: Value) => (index ? withValue(doc, index, at) : doc);
  return (doc, found) => {
    if (found.length === 0) return preserve ? [withIndex(withValue(doc, as, MISSING), null)] : [];
    return found.map((other, at) => withIndex(withValue(doc, as, other), BigInt(at)));
  };
}

/** Compiles the join; what it opens holds what has been read of the other collection, for one run of the stage. */
function joinOf(spec: LookupSpec, env: StageEnv, foreign: Foreign | undefined): () => Join {
  const { from, fields, variables } = spec;
  const pipeline = spec.pipeline && withoutEmptyFilters(spec.pipeline);
  // Read anew at each use, so that what is compiled once serves all documents.
  const bound = new Map<string, Found>(env.context.variables);
  for (const { name } of variables) bound.set(name, MISSING);
  const bind = (doc: Doc) => {
    for (const [name, value] of env.context.variables ?? []) bound.set(name, value);
    for (const { name, expression } of variables) bound.set(name, expression(rootScope(doc)));
  };
  const context: PipelineContext = { ...within(env.context, from, foreign), variables: bound };
  const compiled = pipeline && env.compile(pipeline, context);
  const names = variables.map(({ name }) => name);
  const source = pipeline?.[0] && isOwnSource(pipeline[0]) ? pipeline[0] : undefined;
  if (!foreign || (source && (fields || isBound(source, names)))) return () => ownDocuments(spec, env, context, bind);
  if (fields) return () => byFields(fields, foreign, context, compiled, bind);
  const first = pipeline!.findIndex((stage) => isBound(stage, names));
  if (first < 0) return () => once(foreign, pipeline!, context, bind);
  const equality =
    isOwnSource(pipeline![0]!) || isText(pipeline![0]!) ? undefined : equalityOf(pipeline![0]!, names, context);
  if (equality) return () => byExpression(equality, foreign, pipeline!, context, compiled!, bind);
  const rest = env.compile(pipeline!.slice(first), context);
  return () => afterPrefix(foreign, pipeline!.slice(0, first), rest, context, bind);
}

function byFields(
  { local, foreign: path }: { readonly local: string; readonly foreign: string },
  foreign: Foreign,
  context: PipelineContext,
  compiled: Stage | undefined,
  bind: (doc: Doc) => void,
): Join {
  const candidates = new Candidates(foreign, path, context);
  const valuesOf = localValues(local);
  return async (docs) => {
    const values = docs.map(valuesOf);
    await candidates.prepare(values.flat());
    const matched = values.map((wanted) => candidates.find(wanted));
    if (!compiled) return matched;
    return each(docs, (doc, at) => {
      bind(doc);
      return collect(compiled(streamOf(matched[at]!)));
    });
  };
}

/** What a local field stands for in a join: each element of arrays, and null for nothing. */
function localValues(path: string): (doc: Doc) => Value[] {
  const parsed = parsePath(path);
  return (doc) => {
    const values: Value[] = [];
    visitPath(doc, parsed, false, (value) => {
      if (isArray(value)) values.push(...value);
      else if (value !== MISSING) values.push(value);
      return false;
    });
    return values.length > 0 ? values : [null];
  };
}

/** A pipeline that has nothing to do with the documents: it runs once for all. */
function once(foreign: Foreign, pipeline: readonly Doc[], context: PipelineContext, bind: (doc: Doc) => void): Join {
  let result: Doc[] | undefined;
  return async (docs) => {
    if (docs[0] && !result) {
      bind(docs[0]);
      result = await collect(foreign.run(pipeline, context));
    }
    return docs.map(() => result!);
  };
}

/** The part of a pipeline that is the same for all documents runs once, the rest for each. */
function afterPrefix(
  foreign: Foreign,
  prefix: readonly Doc[],
  rest: Stage,
  context: PipelineContext,
  bind: (doc: Doc) => void,
): Join {
  let shared: Doc[] | undefined;
  return (docs) =>
    each(docs, async (doc) => {
      bind(doc);
      shared ??= await collect(foreign.run(prefix, context));
      return collect(rest(streamOf(shared)));
    });
}

/** A condition at the head of a pipeline: the field at a path is what the expression gives. */
interface Equality {
  readonly path: string;
  readonly value: Expression;
}

/** Candidates are found by the equality, and the whole pipeline decides about them. */
function byExpression(
  { path, value }: Equality,
  foreign: Foreign,
  pipeline: readonly Doc[],
  context: PipelineContext,
  compiled: Stage,
  bind: (doc: Doc) => void,
): Join {
  const candidates = new Candidates(foreign, path, context);
  return async (docs) => {
    const wanted = docs.map((doc) => {
      bind(doc);
      return value(rootScope(new Map()));
    });
    const told = wanted.map(isTold);
    await candidates.prepare(wanted.filter((_, at) => told[at]) as Value[]);
    return each(docs, (doc, at) => {
      bind(doc);
      return collect(
        told[at] ? compiled(streamOf(candidates.find([wanted[at] as Value]))) : foreign.run(pipeline, context),
      );
    });
  };
}

/** Whether what is equal to the value in an expression is also equal to it in a filter. */
function isTold(value: Found): boolean {
  return !isNullish(value) && !isArray(value) && !(value instanceof BSONRegExp);
}

/** `{$match: {$expr: {$eq: ['$field', '$$variable']}}}`, also as one of several of an `$and`. */
function equalityOf(stage: Doc, names: readonly string[], context: PipelineContext): Equality | undefined {
  const filter = stage.get('$match');
  if (!isDoc(filter)) return undefined;
  for (const condition of conditionsOf(filter.get('$expr'))) {
    const operands = condition.get('$eq');
    if (!isArray(operands) || operands.length !== 2) continue;
    for (const [field, value] of [operands, operands.toReversed()]) {
      if (typeof field !== 'string' || !field.startsWith('$') || field.startsWith('$$')) continue;
      if (typeof value !== 'string' || !names.some((name) => value === `$$${name}` || value.startsWith(`$$${name}.`)))
        continue;
      // A number may be an index to a filter, and is a name to an expression.
      if (field.split('.').some((part) => /^\d+$/.test(part))) continue;
      return { path: field.slice(1), value: compileExpression(value, context) };
    }
  }
  return undefined;
}

function conditionsOf(expression: Value): Doc[] {
  if (!isDoc(expression)) return [];
  const all = expression.get('$and');
  return isArray(all) ? all.flatMap(conditionsOf) : [expression];
}

/** Only the text index finds what `$text` searches. */
function isText(stage: Doc): boolean {
  const filter = stage.get('$match');
  return isDoc(filter) && hasText(filter);
}

/** Without another collection the pipeline begins with documents of its own. */
function ownDocuments(
  { fields, pipeline = [] }: LookupSpec,
  env: StageEnv,
  context: PipelineContext,
  bind: (doc: Doc) => void,
): Join {
  const documents = env.compile(pipeline.slice(0, 1), context);
  const rest = env.compile(pipeline.slice(1), context);
  const valuesOf = fields && localValues(fields.local);
  return (docs) =>
    each(docs, async (doc) => {
      bind(doc);
      const own = await collect(documents(streamOf([])));
      const matched = fields ? new FieldIndex(own, fields.foreign, context.collator).find(valuesOf!(doc)) : own;
      return collect(rest(streamOf(matched)));
    });
}

async function each(docs: readonly Doc[], join: (doc: Doc, at: number) => Promise<Doc[]>): Promise<Doc[][]> {
  const joined: Doc[][] = [];
  // One after the other: they share their variables.
  for (const [at, doc] of docs.entries()) joined.push(await join(doc, at));
  return joined;
}

/** Whether a stage may give something else for another document, or at another time. */
function isBound(stage: Value, names: readonly string[]): boolean {
  if (typeof stage === 'string') return names.some((name) => stage === `$$${name}` || stage.startsWith(`$$${name}.`));
  if (isArray(stage)) return stage.some((item) => isBound(item, names));
  if (!isDoc(stage)) return false;
  return [...stage].some(([name, value]) => CHANCE.has(name) || isBound(value, names));
}

const CHANCE: ReadonlySet<string> = new Set(['$rand', '$sample', '$sampleRate']);
