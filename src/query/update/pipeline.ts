import { CodedError } from '../../base/index.ts';
import type { Doc } from '../../bson/index.ts';
import { isConstantError, located } from '../error.ts';
import {
  compileAddFields,
  compileProject,
  compileReplaceRoot,
  compileUnset,
  type Transform,
} from '../projection/index.ts';
import { filling } from '../stages/fill.ts';
import { checkPipeline } from '../stages/index.ts';
import type { QueryContext, Updater } from '../types.ts';
import { isDoc } from '../value.ts';
import { replaceDoc } from './replacement.ts';

/** Compiles an update written as a pipeline. */
export function compilePipelineUpdate(stages: readonly Doc[], context: QueryContext): Updater {
  checkPipeline(stages);
  const transforms = stages.flatMap(made).map((stage) => compileUnoptimized(stage, context));
  return {
    kind: 'pipeline',
    apply(doc, { inserting = false }) {
      const result = transforms.reduce((before, transform) => transform(before), doc);
      return replaceDoc(doc, result, inserting);
    },
  };
}

/** MongoDB does not optimize these pipelines: what is wrong with a constant is found with the first document. */
function compileUnoptimized(stage: Doc, context: QueryContext): Transform {
  try {
    return compileStage(stage, context);
  } catch (error) {
    if (!isConstantError(error)) throw error;
    return () => {
      throw error;
    };
  }
}

/** The stages that a stage comes to: one that only fills in values is an `$addFields`. */
function made(stage: Doc): Doc[] {
  return stage.has('$fill') ? filling(stage.get('$fill')) : [stage];
}

function compileStage(stage: Doc, context: QueryContext): Transform {
  const [name, spec] = [...stage][0]!;
  switch (name) {
    case '$set':
    case '$addFields':
      return compileAddFields(spec, context, name);
    case '$unset':
      return compileUnset(spec, context);
    case '$project':
      return compileProject(spec, context);
    case '$replaceWith':
      return compileReplaceRoot(spec, context, name);
    case '$replaceRoot':
      if (!isDoc(spec) || !spec.has('newRoot')) throw located(40231, 'no newRoot specified for the $replaceRoot stage');
      return compileReplaceRoot(spec.get('newRoot'), context, name);
  }
  throw new CodedError('InvalidOptions', `${name} is not allowed to be used within an update`);
}
