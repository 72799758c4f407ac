import { CodedError } from '../../base/index.ts';
import { type Collator, type Doc, encodeKey, type Value } from '../../bson/index.ts';
import { failedToParse, located } from '../error.ts';
import { compileExpression, type Expression, rootScope } from '../expressions/index.ts';
import { compileFilter } from '../filter/index.ts';
import { clampedInt } from '../number.ts';
import { parsePath, resolvePath, visitPath } from '../path.ts';
import { compileAddFields } from '../projection/index.ts';
import type { PipelineContext } from '../types.ts';
import { element, type Found, isArray, isDoc, isNumeric, MISSING, typeName } from '../value.ts';
import { collect, type StageCompiler, type StageEnv, streamOf } from './stage.ts';

/** `$lookup`: by equal fields, by a pipeline, or both. */
export const lookup: StageCompiler = (spec, env) => {
  if (!isDoc(spec))
    throw failedToParse(`the $lookup stage specification must be an object, but found ${typeName(spec)}`);
  const as = text(spec, 'as', '$lookup');
  if (as === undefined) throw failedToParse("must specify 'as' field for a $lookup");
  const pipeline = pipelineOf(spec, '$lookup');
  const local = text(spec, 'localField', '$lookup');
  const foreign = text(spec, 'foreignField', '$lookup');
  if (!pipeline && (local === undefined || foreign === undefined)) {
    throw failedToParse("$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified");
  }
  if ((local === undefined) !== (foreign === undefined)) {
    throw failedToParse("$lookup requires both or neither of 'localField' and 'foreignField' to be specified");
  }
  const from = collectionOf(spec, 'from', env, '$lookup');
  const variables = letVariables(spec.get('let'), env.context);
  const assign = (doc: Doc, found: Doc[]) =>
    compileAddFields(new Map([[as, new Map([['$literal', found]])]]), env.context)(doc);
  return async function* (source) {
    const others = from === undefined ? [] : await env.context.read(from);
    const index = foreign === undefined ? undefined : new FieldIndex(others, foreign, env.context.collator);
    for await (const batch of source) {
      const joined: Doc[] = [];
      for (const doc of batch) {
        const matched = index ? index.find(resolvePath(doc, local!.split('.'))) : others;
        const found = pipeline
          ? await collect(env.run(pipeline, streamOf(matched), withVariables(env, variables, doc)))
          : matched;
        joined.push(assign(doc, found));
      }
      yield joined;
    }
  };
};

/** Documents by the values at a path, as equality in a filter sees them. */
class FieldIndex {
  readonly #docs: readonly Doc[];
  readonly #collator: Collator | undefined;
  readonly #positions = new Map<string, number[]>();

  constructor(docs: readonly Doc[], path: string, collator: Collator | undefined) {
    this.#docs = docs;
    this.#collator = collator;
    const parsed = parsePath(path);
    for (const [position, doc] of docs.entries()) {
      visitPath(doc, parsed, true, (value) => {
        const key = encodeKey(value === MISSING ? null : value, false, collator);
        const positions = this.#positions.get(key);
        if (!positions) this.#positions.set(key, [position]);
        else if (positions.at(-1) !== position) positions.push(position);
        return false;
      });
    }
  }

  /** The documents that equal a value, or one of an array's elements, in their own order. */
  find(value: Found): Doc[] {
    const wanted = isArray(value) ? value : [value === MISSING ? null : value];
    const positions = new Set(
      wanted.flatMap((item) => this.#positions.get(encodeKey(item, false, this.#collator)) ?? []),
    );
    return [...positions].sort((left, right) => left - right).map((position) => this.#docs[position]!);
  }
}

type Variables = readonly { readonly name: string; readonly expression: Expression }[];

function letVariables(spec: Value, context: PipelineContext): Variables {
  if (spec === undefined) return [];
  if (!isDoc(spec)) throw failedToParse(`$lookup argument 'let: ...' must be an object, is type ${typeName(spec)}`);
  return [...spec].map(([name, value]) => ({ name, expression: compileExpression(value, context) }));
}

function withVariables(env: StageEnv, variables: Variables, doc: Doc): PipelineContext {
  if (variables.length === 0) return env.context;
  const bound = new Map(env.context.variables);
  for (const { name, expression } of variables) {
    const value = expression(rootScope(doc));
    bound.set(name, value === MISSING ? null : value);
  }
  return { ...env.context, variables: bound };
}

/** `$unionWith`. */
export const unionWith: StageCompiler = (spec, env) => {
  if (typeof spec !== 'string' && !isDoc(spec)) {
    throw failedToParse(`the $unionWith stage specification must be an object or string, but found ${typeName(spec)}`);
  }
  const coll = typeof spec === 'string' ? spec : text(spec, 'coll', '$unionWith');
  const pipeline = typeof spec === 'string' ? undefined : pipelineOf(spec, '$unionWith');
  if (coll === undefined && !pipeline)
    throw failedToParse('$unionWith requires a collection or a pipeline that begins with $documents');
  return async function* (source) {
    yield* source;
    const others = streamOf(coll === undefined ? [] : await env.context.read(coll));
    yield* pipeline ? env.run(pipeline, others, env.context) : others;
  };
};

/** `$facet`. */
export const facet: StageCompiler = (spec, env) => {
  if (!isDoc(spec))
    throw located(40169, `the $facet specification must be a non-empty object, but found: ${element('$facet', spec)}`);
  if (spec.size === 0) throw located(40169, 'the $facet specification must be a non-empty object');
  const facets = [...spec].map(([name, stages]) => {
    if (!isArray(stages))
      throw located(40170, `arguments to $facet must be arrays, ${name} is type ${typeName(stages)}`);
    const pipeline = stages.map((stage) => {
      if (!isDoc(stage))
        throw located(
          40171,
          `elements of arrays in $facet spec must be non-empty objects, ${name} argument contained an element of type ${typeName(stage)}`,
        );
      return stage;
    });
    return [name, pipeline] as const;
  });
  return async function* (source) {
    const docs = await collect(source);
    const result: Doc = new Map();
    for (const [name, pipeline] of facets)
      result.set(name, await collect(env.run(pipeline, streamOf(docs), env.context)));
    yield [result];
  };
};

/** `$graphLookup`. */
export const graphLookup: StageCompiler = (spec, env) => {
  if (!isDoc(spec))
    throw failedToParse(`the $graphLookup stage specification must be an object, but found ${typeName(spec)}`);
  const from = collectionOf(spec, 'from', env, '$graphLookup');
  const [as, connectFrom, connectTo] = ['as', 'connectFromField', 'connectToField'].map((key) =>
    text(spec, key, '$graphLookup'),
  );
  if (
    from === undefined ||
    as === undefined ||
    connectFrom === undefined ||
    connectTo === undefined ||
    !spec.has('startWith')
  ) {
    throw located(
      40105,
      "$graphLookup requires 'from', 'as', 'startWith', 'connectFromField', and 'connectToField' to be specified.",
    );
  }
  const startWith = compileExpression(spec.get('startWith'), env.context);
  const maxDepth = depthOf(spec);
  const depthField = text(spec, 'depthField', '$graphLookup');
  const restrict = spec.get('restrictSearchWithMatch');
  const filter = isDoc(restrict) ? compileFilter(restrict, env.context) : undefined;
  return async function* (source) {
    const others = (await env.context.read(from)).filter((doc) => !filter || filter.matches(doc));
    const index = new FieldIndex(others, connectTo, env.context.collator);
    for await (const batch of source) {
      yield batch.map((doc) => {
        const found = reach(index, startWith(rootScope(doc)), connectFrom.split('.'), maxDepth);
        const docs = [...found].map(([other, depth]) =>
          depthField ? new Map(other).set(depthField, BigInt(depth)) : other,
        );
        return compileAddFields(new Map([[as, new Map([['$literal', docs]])]]), env.context)(doc);
      });
    }
  };
};

function depthOf(spec: Doc): number {
  if (!spec.has('maxDepth')) return Number.POSITIVE_INFINITY;
  const depth = spec.get('maxDepth');
  if (!isNumeric(depth)) throw located(40100, `maxDepth requires a numeric argument, found type: ${typeName(depth)}`);
  if (clampedInt(depth) < 0)
    throw located(40101, `maxDepth requires a nonnegative argument, found: ${clampedInt(depth)}`);
  return clampedInt(depth);
}

/** Breadth first, each document once with the depth at which it was met. */
function reach(index: FieldIndex, start: Found, connectFrom: readonly string[], maxDepth: number): Map<Doc, number> {
  const found = new Map<Doc, number>();
  let frontier: Found[] = [start];
  for (let depth = 0; depth <= maxDepth && frontier.length > 0; depth++) {
    const next: Found[] = [];
    for (const doc of frontier.flatMap((value) => (value === MISSING ? [] : index.find(value)))) {
      if (found.has(doc)) continue;
      found.set(doc, depth);
      next.push(resolvePath(doc, connectFrom));
    }
    frontier = next;
  }
  return found;
}

function text(spec: Doc, key: string, stage: string): string | undefined {
  if (!spec.has(key)) return undefined;
  const value = spec.get(key);
  if (typeof value !== 'string')
    throw failedToParse(`${stage} argument '${element(key, value)}' must be a string, is type ${typeName(value)}`);
  return value;
}

function pipelineOf(spec: Doc, stage: string): Doc[] | undefined {
  if (!spec.has('pipeline')) return undefined;
  const pipeline = spec.get('pipeline');
  if (!isArray(pipeline)) throw new CodedError('TypeMismatch', `'pipeline' option must be specified as an array`);
  return pipeline.map((item) => {
    if (!isDoc(item))
      throw new CodedError('TypeMismatch', `Each element of the 'pipeline' array must be an object in ${stage}`);
    return item;
  });
}

/** A collection of the pipeline's own database; undefined where none is named. */
function collectionOf(spec: Doc, key: string, env: StageEnv, stage: string): string | undefined {
  const value = spec.get(key);
  if (!isDoc(value)) return text(spec, key, stage);
  const db = text(value, 'db', stage) ?? env.context.db;
  if (db !== env.context.db)
    throw failedToParse(`${stage} with a collection of another database is not supported: ${db}`);
  return text(value, 'coll', stage);
}
