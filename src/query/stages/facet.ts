import { deferred, inContext } from '../../base/index.ts';
import type { Doc } from '../../bson/index.ts';
import { located } from '../error.ts';
import { limitOf } from '../limits.ts';
import { checkFieldName } from '../path.ts';
import { sizeOfValue, sizeOfValues } from '../size.ts';
import { element, isArray, isDoc, typeName } from '../value.ts';
import { DECODED } from './memory.ts';
import { type Stage, type StageCompiler, type Stream, streamOf } from './stage.ts';

const NAMING = '$facet pipeline names must follow the naming rules of field path expressions.';

const tooLarge = (bytes: number, limit: number) =>
  located(4031700, `document constructed by $facet is ${bytes} bytes, which exceeds the limit of ${limit} bytes`);

/** `$facet`: several pipelines over the same documents, which are read once. */
export const facet: StageCompiler = (spec, env) => {
  if (!isDoc(spec) || spec.size === 0) {
    throw located(40169, `the $facet specification must be a non-empty object, but found: ${element('$facet', spec)}`);
  }
  const facets = [...spec].map(([name, stages]) => {
    inContext(NAMING, () => checkFieldName(name));
    if (!isArray(stages)) {
      throw located(40170, `arguments to $facet must be arrays, ${name} is type ${typeName(stages)}`);
    }
    const pipeline = stages.map((stage, at): Doc => {
      if (isDoc(stage)) return stage;
      throw located(
        40171,
        `elements of arrays in $facet spec must be non-empty objects, ${name} argument contained an element of type ${typeName(stage)}: ${element(String(at), stage)}`,
      );
    });
    return { name, run: env.compile(pipeline, env.context) };
  });
  const limit = limitOf(env.context, 'facet');
  const most = limitOf(env.context, 'facetBuffer');
  return async function* (source) {
    let bytes = 0;
    const count = (docs: readonly Doc[]) => {
      bytes += sizeOfValues(docs);
      if (bytes > limit) throw tooLarge(bytes, limit);
    };
    const runs = facets.map(({ name, run }) => ({ name, facet: new Facet(run, count) }));
    try {
      for await (const docs of buffered(source, most)) {
        for (const { facet } of runs) await facet.give(docs);
        // What nobody reads need not be read.
        if (runs.every(({ facet }) => facet.isOver)) break;
      }
      const result: Doc = new Map();
      for (const { name, facet } of runs) result.set(name, await facet.finish());
      yield [result];
    } finally {
      await Promise.all(runs.map(({ facet }) => facet.abandon()));
    }
  };
};

/** The documents, as many together as may be held. */
async function* buffered(source: Stream, most: number): AsyncGenerator<Doc[]> {
  let [held, bytes]: [Doc[], number] = [[], 0];
  for await (const batch of source) {
    for (const doc of batch) {
      held.push(doc);
      bytes += DECODED * sizeOfValue(doc);
      if (bytes <= most) continue;
      yield held;
      [held, bytes] = [[], 0];
    }
  }
  yield held;
}

/** One of the pipelines: it goes on while it has documents, and the others wait. */
class Facet {
  readonly #found: Doc[] = [];
  readonly #ended: Promise<void>;
  /** Resolves when it wants more documents, or none any more. */
  #asks = deferred();
  #answer = deferred<Doc[] | undefined>();
  isOver = false;

  /** `count` is told of all that it makes, and throws where that is too much. */
  constructor(run: Stage, count: (docs: readonly Doc[]) => void) {
    this.#ended = this.#collect(run, count).finally(() => {
      this.isOver = true;
      this.#asks.resolve();
    });
    // Whoever waits for it sees how it failed.
    this.#ended.catch(() => {});
  }

  /** Lets it work on these documents. Rejects as the pipeline does. */
  async give(docs: Doc[]): Promise<void> {
    await this.#answered(docs);
    if (this.isOver) await this.#ended;
  }

  /** All that it makes, where no more documents come. */
  async finish(): Promise<Doc[]> {
    await this.#answered(undefined);
    await this.#ended;
    return this.#found;
  }

  /** Resolves when nothing of it goes on. */
  async abandon(): Promise<void> {
    await this.#asks.promise;
    // Nobody waits for the answer of one that is over.
    if (!this.isOver) this.#answer.reject(new Error('$facet has ended'));
    await this.#ended.catch(() => {});
  }

  async #answered(docs: Doc[] | undefined): Promise<void> {
    await this.#asks.promise;
    if (this.isOver) return;
    this.#asks = deferred();
    this.#answer.resolve(docs);
    await this.#asks.promise;
  }

  async #collect(run: Stage, count: (docs: readonly Doc[]) => void): Promise<void> {
    for await (const batch of run(this.#source())) {
      count(batch);
      this.#found.push(...batch);
    }
  }

  async *#source(): AsyncGenerator<Doc[]> {
    for (;;) {
      this.#answer = deferred();
      this.#asks.resolve();
      const docs = await this.#answer.promise;
      if (!docs) return;
      yield* streamOf(docs);
    }
  }
}
