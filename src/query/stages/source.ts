import type { Doc } from '../../bson/index.ts';
import { located } from '../error.ts';
import { compileExpression, rootScope } from '../expressions/index.ts';
import { isArray, isDoc } from '../value.ts';
import { type StageCompiler, streamOf } from './stage.ts';

/** Stages that start a pipeline with documents of the server's own: `$collStats` and its like. */
export const fromServer: StageCompiler = (spec, { context }, name) => {
  const read = context.source(name, spec);
  return async function* () {
    yield* streamOf(await read());
  };
};

/** `$documents`: an expression that gives an array of documents. */
export const documents: StageCompiler = (spec, { context }) => {
  const list = compileExpression(spec, context)(rootScope(new Map()));
  if (!isArray(list)) throw located(5858203, 'an array is expected as the argument of $documents');
  const docs = list.map((item): Doc => {
    if (!isDoc(item)) throw located(5858203, 'an array of objects is expected as the argument of $documents');
    return item;
  });
  return () => streamOf(docs);
};
