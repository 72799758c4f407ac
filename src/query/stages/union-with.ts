import { CodedError } from '../../base/index.ts';
import type { Doc, Value } from '../../bson/index.ts';
import { failedToParse, typeMismatch } from '../error.ts';
import { isDoc, typeName } from '../value.ts';
import { isForeign } from './foreign.ts';
import { checkOnCollection } from './own-source.ts';
import { pipelineArgument } from './pipeline-argument.ts';
import { type StageCompiler, streamOf, within } from './stage.ts';

/** `$unionWith`: the other documents come after all of the first ones. */
export const unionWith: StageCompiler = (spec, env) => {
  const { coll, pipeline } = parse(spec);
  if (coll !== undefined && !isForeign(coll)) {
    // MongoDB's words, with the space that they lack.
    const name = coll === '' ? env.context.db : `${env.context.db}.${coll}`;
    throw new CodedError('InvalidNamespace', `Namespace ${name}is not a valid collection name`);
  }
  if (coll !== undefined) checkOnCollection(pipeline);
  const foreign = coll === undefined ? undefined : env.context.foreign(coll);
  const context = within(env.context, coll, foreign);
  const compiled = env.compile(pipeline, context);
  return async function* (source) {
    yield* source;
    yield* foreign ? foreign.run(pipeline, context) : compiled(streamOf([]));
  };
};

function parse(spec: Value): { coll: string | undefined; pipeline: readonly Doc[] } {
  if (typeof spec === 'string') return { coll: spec, pipeline: [] };
  if (!isDoc(spec)) {
    throw failedToParse(`the $unionWith stage specification must be an object or string, but found ${typeName(spec)}`);
  }
  for (const [name, value] of spec) {
    if (name !== 'coll' && name !== 'pipeline') {
      throw new CodedError('IDLUnknownField', `BSON field '$unionWith.${name}' is an unknown field.`);
    }
    if (name === 'coll' && typeof value !== 'string') {
      throw typeMismatch(`BSON field '$unionWith.coll' is the wrong type '${typeName(value)}', expected type 'string'`);
    }
  }
  const coll = spec.get('coll') as string | undefined;
  const pipeline = spec.has('pipeline') ? pipelineArgument(spec.get('pipeline')) : [];
  if (coll === undefined && !pipeline[0]?.has('$documents')) {
    throw failedToParse(
      '$unionWith stage without explicit collection must have a pipeline with $documents as first stage',
    );
  }
  return { coll, pipeline };
}
