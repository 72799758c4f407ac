import { CodedError } from '../../base/index.ts';
import type { Doc, Value } from '../../bson/index.ts';
import { carry, metadataOf } from '../metadata.ts';
import type { Foreign, PipelineContext } from '../types.ts';

/**
 * Documents on their way, in batches as they come: an asynchronous step for each document would cost more than most
 * stages do. A batch may be empty, and belongs to whoever pulled it.
 */
export type Stream = AsyncIterable<Doc[]>;

/** A stage ready to run: it pulls from the one before it, and holds no more than its meaning demands. */
export interface Stage {
  (source: Stream): Stream;
  /** What its runs have done, in the fields that `explain` has for that. */
  figures?(): Doc;
}

/** A stage that must plan before it can run: `open` rejects for what cannot be planned. */
interface PlannedStage extends Stage {
  open(): Promise<Stream>;
}

export function opened(open: () => Promise<Stream>): PlannedStage {
  const stage = async function* () {
    yield* await open();
  };
  return Object.assign(stage, { open });
}

export function isPlanned(stage: Stage | undefined): stage is PlannedStage {
  return stage !== undefined && 'open' in stage;
}

/** What a stage is compiled with. `compile` is for pipelines inside this one (`$lookup`, `$facet`). */
export interface StageEnv {
  readonly context: PipelineContext;
  compile(stages: readonly Doc[], context: PipelineContext): Stage;
}

/** Makes a stage of its specification. Throws for what MongoDB refuses. */
export type StageCompiler = (spec: Value, env: StageEnv, name: string) => Stage;

/** As MongoDB's `internalMaxSubPipelineViewDepth`. */
const MAX_DEPTH = 20;

/** The context of a pipeline within a stage, on another collection where one is named. Throws where they nest too deep. */
export function within(
  { textIndex: _, metadata: __, depth = 0, ...context }: PipelineContext,
  collection: string | undefined,
  foreign: Foreign | undefined,
): PipelineContext {
  if (depth >= MAX_DEPTH) {
    const message = `Maximum number of nested sub-pipelines exceeded. Limit is ${MAX_DEPTH}`;
    throw new CodedError('MaxSubPipelineDepthExceeded', message);
  }
  const searched = foreign?.textIndex && { textIndex: foreign.textIndex };
  return { ...context, ...searched, depth: depth + 1, collection: collection ?? context.collection };
}

export async function collect(source: Stream): Promise<Doc[]> {
  const docs: Doc[] = [];
  for await (const batch of source) for (const doc of batch) docs.push(doc);
  return docs;
}

/** As many as a stage that makes documents of its own hands on at once. */
const BATCH = 512;

export async function* streamOf(docs: Iterable<Doc>): AsyncGenerator<Doc[]> {
  let batch: Doc[] = [];
  for (const doc of docs) {
    batch.push(doc);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** The same documents in batches of at least `least`, for stages that ask somewhere once for each batch. */
export async function* gathered(source: Stream, least: number): AsyncGenerator<Doc[]> {
  let held: Doc[] = [];
  for await (const batch of source) {
    if (held.length === 0) held = batch;
    else for (const doc of batch) held.push(doc);
    if (held.length < least) continue;
    yield held;
    held = [];
  }
  if (held.length > 0) yield held;
}

/** A stage that needs all of its input at once. */
export function whole(apply: (docs: Doc[]) => Iterable<Doc> | Promise<Iterable<Doc>>): Stage {
  return async function* (source) {
    yield* streamOf(await apply(await collect(source)));
  };
}

/** A stage that makes of each document one, several or none. */
export function each(apply: (doc: Doc) => Iterable<Doc>): Stage {
  return async function* (source) {
    for await (const batch of source) {
      const made: Doc[] = [];
      for (const doc of batch) for (const each of apply(doc)) made.push(carry(each, metadataOf(doc)));
      yield made;
    }
  };
}

/** A stage that makes one document of one. */
export function mapped(apply: (doc: Doc) => Doc): Stage {
  return async function* (source) {
    for await (const batch of source) yield batch.map((doc) => carry(apply(doc), metadataOf(doc)));
  };
}
