import type { Doc, Value } from '../../bson/index.ts';
import type { PipelineContext } from '../types.ts';

export type Stream = AsyncIterable<Doc>;

/** A stage ready to run: it pulls from the one before it, and holds no more than its meaning demands. */
export type Stage = (source: Stream) => Stream;

/** What a stage is compiled with. `run` runs a pipeline inside this one (`$lookup`, `$facet`). */
export interface StageEnv {
  readonly context: PipelineContext;
  run(stages: readonly Doc[], source: Stream, context: PipelineContext): Stream;
}

/** Makes a stage of its specification. Throws for what MongoDB refuses. */
export type StageCompiler = (spec: Value, env: StageEnv, name: string) => Stage;

export async function collect(source: Stream): Promise<Doc[]> {
  const docs: Doc[] = [];
  for await (const doc of source) docs.push(doc);
  return docs;
}

export async function* streamOf(docs: Iterable<Doc>): Stream {
  yield* docs;
}

/** A stage that needs all of its input at once. */
export function whole(apply: (docs: Doc[]) => Iterable<Doc> | Promise<Iterable<Doc>>): Stage {
  return async function* (source) {
    yield* await apply(await collect(source));
  };
}

/** A stage that makes of each document one, several or none. */
export function each(apply: (doc: Doc) => Iterable<Doc>): Stage {
  return async function* (source) {
    for await (const doc of source) yield* apply(doc);
  };
}

/** A stage that makes one document of one. */
export function mapped(apply: (doc: Doc) => Doc): Stage {
  return async function* (source) {
    for await (const doc of source) yield apply(doc);
  };
}
