import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { CodedError } from '../../../src/base/index.ts';
import { type Doc, doc, Int32, Timestamp } from '../../../src/bson/index.ts';
import {
  ACCUMULATORS,
  DOCUMENTS,
  EXPRESSIONS,
  PROJECTION_OPERATORS,
  QUERY_OPERATORS,
  STAGES,
  UPDATE_OPERATORS,
  WINDOW_OPERATORS,
} from './manual-operators.ts';
import { NS, Stage } from './stage.ts';

/** Every operator of the manual's lists works, or stands in the list of differences. */
const DIFFERENCES = readFileSync(new URL('../../../src/commands/DIFFERENCES.md', import.meta.url), 'utf8');
/** The sentences of it that say that something is not there. */
const MISSING = DIFFERENCES.split(/(?<=\.)\s/).filter((sentence) => /\b(refused|unknown|gets?)\b/.test(sentence));

/** Answered as a MongoDB answers that was started with server-side JavaScript off. */
const SCRIPTS: ReadonlySet<string> = new Set(['$where', '$function', '$accumulator']);

let stage: Stage;

beforeEach(async () => {
  stage = await Stage.open();
  for (const key of [{ s: 'text' }, { p: '2dsphere' }, { q: '2d' }]) {
    const creating = stage.run(stage.engine.createIndexes(NS, [doc({ key, name: JSON.stringify(key) })]));
    // What needs an index that there is not is seen by its own refusal.
    await creating.catch((error) => expect(error).toMatchObject({ codeName: 'NotImplemented' }));
  }
  const ints = DOCUMENTS.map((each) => ({ ...each, n: new Int32(each.n), t: new Timestamp({ t: 1, i: 1 }) }));
  await stage.insert(ints);
});

async function aggregate(pipeline: unknown[]): Promise<void> {
  const query = { read: 'local', context: stage.context } as const;
  const stages = pipeline.map((each) => doc(each as object));
  const cursor = await stage.run(stage.engine.aggregate(NS, stages, query));
  while (!cursor.exhausted) await stage.run(cursor.next(100, 2 ** 24));
}

/** Passes for what works, and for what is refused as the list of differences says. */
async function expectThere(name: string, run: () => Promise<unknown>): Promise<void> {
  let refusal: unknown;
  try {
    await run();
  } catch (error) {
    refusal = error;
  }
  if (SCRIPTS.has(name)) {
    expect(refusal).toBeInstanceOf(CodedError);
    return;
  }
  if (refusal === undefined) return;
  const listed = MISSING.some((sentence) => sentence.includes(`\`${name}\``));
  expect(refusal, listed ? '' : `${name} neither works nor is it listed in DIFFERENCES.md`).toSatisfy(
    (error) => listed && error instanceof CodedError,
  );
}

function rows<Operand>(operators: Record<string, Operand>): [string, Operand][] {
  return Object.entries(operators);
}

describe('the manual knows', () => {
  test.each(rows(QUERY_OPERATORS))('the query operator %s', (name, filter) =>
    expectThere(name, () => stage.find(filter)));

  test.each(rows(PROJECTION_OPERATORS))('the projection operator %s', (name, projection) => {
    // `$meta` needs a search, and `$` cannot stand beside one.
    const filter = name === '$meta' ? { $text: { $search: 'text' } } : { a: 1 };
    return expectThere(name, () => stage.find(filter, { projection: doc(projection) }));
  });

  test.each(rows(UPDATE_OPERATORS))('the update operator %s', (name, update) =>
    expectThere(name, async () => {
      const arrayFilters = name === '$[identifier]' ? [doc({ big: { $gt: 1 } })] : undefined;
      const statement = { filter: doc({ a: 1 }), update: doc(update), multi: false, upsert: true, arrayFilters };
      const { errors } = await stage.run(stage.engine.update(NS, [statement], stage.writing()));
      for (const { error } of errors) throw error;
    }));

  test.each(rows(STAGES))('the stage %s', (name, operand) =>
    expectThere(name, () => aggregate(Array.isArray(operand) ? operand : [{ [name]: operand }])));

  test.each(rows(EXPRESSIONS))('the expression %s', (name, operand) =>
    expectThere(name, () => aggregate([{ $project: { x: { [name]: operand } } }])));

  test.each(rows(ACCUMULATORS))('the accumulator %s', (name, operand) =>
    expectThere(name, () => aggregate([{ $group: { _id: null, x: { [name]: operand } } }])));

  test.each(rows(WINDOW_OPERATORS))('the window operator %s', (name, { operand, window }) =>
    expectThere(name, () =>
      aggregate([
        { $setWindowFields: { sortBy: { d: 1 }, output: { x: { [name]: operand, ...(window && { window }) } } } },
      ]),
    ));
});

test('what no manual knows is seen to be missing', async () => {
  await expect(expectThere('$nope', () => stage.find({ n: { $nope: 1 } }))).rejects.toThrow('neither works');
  await expect(expectThere('$nope', () => aggregate([{ $nope: {} } as unknown as Doc]))).rejects.toThrow(
    'neither works',
  );
  await expect(expectThere('$nope', () => aggregate([{ $project: { x: { $nope: 1 } } }]))).rejects.toThrow(
    'neither works',
  );
});
