import type { Doc, Value } from '../../bson/index.ts';
import { typeMismatch } from '../error.ts';
import { isArray, isDoc } from '../value.ts';

/** The stages of a `pipeline` that stands in a stage's specification. Throws TypeMismatch for anything else. */
export function pipelineArgument(pipeline: Value): Doc[] {
  if (!isArray(pipeline)) throw typeMismatch("'pipeline' option must be specified as an array");
  return pipeline.map((stage) => {
    if (!isDoc(stage)) throw typeMismatch("Each element of the 'pipeline' array must be an object");
    return stage;
  });
}
