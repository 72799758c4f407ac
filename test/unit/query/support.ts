import { expect } from 'vitest';
import { CodedError } from '../../../src/base/index.ts';
import { type Doc, doc, encode, ObjectId, toExtendedJson } from '../../../src/bson/index.ts';
import { type PipelineContext, type QueryContext, runPipeline } from '../../../src/query/index.ts';

export const NOW = new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678));

export const context: QueryContext = { now: NOW, random: () => 0.5 };

export function pipelineContext(collections: Record<string, object[]> = {}): PipelineContext & { written: unknown[] } {
  const written: unknown[] = [];
  return {
    ...context,
    written,
    db: 'test',
    collection: 'main',
    foreign: (name) => ({
      indexed: async () => undefined,
      figures: () => new Map(),
      async *run(stages, own) {
        const documents = (collections[name] ?? []).map((item) => doc(item));
        const source = async function* () {
          yield documents;
        };
        yield* runPipeline(stages, source(), own);
      },
    }),
    nearest: () => {
      throw new Error('no index here');
    },
    replaceCollection: async (db, collection, docs) => void written.push([db, collection, docs.map(show)]),
    mergeInto: (spec) => ({
      write: async (items) => void written.push([spec, items.map((item) => show(item.doc))]),
      durable: async () => {},
    }),
    newId: () => ObjectId.createFromTime(0),
    source: (stage) => async () => [doc({ stage })],
  };
}

/** A document as relaxed Extended JSON: types that JSON has not are visible in it. */
export function show(document: Doc): string {
  return toExtendedJson(encode(document));
}

/** Checks that `run` throws a CodedError of that name (a number for MongoDB's unnamed codes) with that text. */
export function expectCoded(run: () => unknown, code: string | number, message?: string | RegExp): void {
  let thrown: unknown;
  try {
    run();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(CodedError);
  const coded = thrown as CodedError;
  expect(coded.codeName).toBe(typeof code === 'number' ? `Location${code}` : code);
  if (typeof message === 'string') expect(coded.message).toBe(message);
  else if (message) expect(coded.message).toMatch(message);
}
