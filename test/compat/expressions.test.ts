import { EJSON } from 'bson';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Db, type Document, Timestamp } from '../support/driver.ts';
import { MISSING } from '../support/expressions/case.ts';
import { FAMILIES } from '../support/expressions/families.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** The tables of `test/support/expressions`, as a client meets them: types exactly, errors by number and words. */
let server: TestServer;
let db: Db;

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('expressions');
});

afterAll(() => server?.close());

/** The only document of `[{$documents}, {$project}]`, with every type as it came. */
async function evaluate(expression: unknown, document: object = {}): Promise<Document> {
  const pipeline = [{ $documents: [{ $literal: document }] }, { $project: { _id: 0, r: bound(expression) } }];
  const [found] = await db.aggregate(pipeline, { promoteValues: false }).toArray();
  return found!;
}

/** A projection takes plain values for flags: inside `$let` they are values. */
function bound(expression: unknown): Document {
  return { $let: { vars: {}, in: expression } };
}

const WHERE =
  /^(?:(?:Invalid \$project|Failed to optimize pipeline|PlanExecutor error during aggregation) :: caused by :: )?([\s\S]*)$/;

const exact = (document: Document) => EJSON.stringify(document, { relaxed: false });

for (const [name, { results, errors }] of Object.entries(FAMILIES)) {
  describe(name, () => {
    test('gives what the table says', async () => {
      for (const [expression, result, document] of results) {
        const found = await evaluate(expression, document);
        expect(exact(found), EJSON.stringify({ expression })).toBe(exact(typed(result)));
      }
    });

    test('refuses what the table says', async () => {
      for (const [expression, code, errmsg, document] of errors) {
        const refusal = await evaluate(expression, document).catch((error: unknown) => error);
        expect(Number((refusal as Document).code), EJSON.stringify({ expression })).toBe(code);
        // What is wrong is told of the stage, of the pipeline as it is optimized, where it is constant, or of its running.
        const [, words] = WHERE.exec((refusal as Document).errmsg)!;
        expect(words).toBe(errmsg);
      }
    });
  });
}

/** A result as the wire would bring it, so that int and double are told apart. */
function typed(result: unknown): Document {
  return result === MISSING ? {} : { r: result };
}

test.each([
  [{ $divide: [1, 0] }, "Failed to optimize pipeline :: caused by :: can't $divide by zero"],
  [{ $add: [{ $nope: 1 }] }, "Invalid $project :: caused by :: Unrecognized expression '$nope'"],
])('%o tells where it happened, also where there is no document', async (expression, errmsg) => {
  const pipeline = [{ $match: { x: 1 } }, { $project: { r: expression } }];
  await expect(db.collection('nothing').aggregate(pipeline).toArray()).rejects.toMatchObject({ errmsg });
});

test('$$CLUSTER_TIME and $$NOW are the time of the command', async () => {
  const pipeline = [{ $documents: [{}] }, { $project: { time: '$$CLUSTER_TIME', now: '$$NOW' } }];
  const [found] = await db.aggregate(pipeline).toArray();
  expect(found!.time).toBeInstanceOf(Timestamp);
  expect(found!.now).toBeInstanceOf(Date);
});

test('a view may have $$CLUSTER_TIME: that of who reads it', async () => {
  await db.collection('base').insertOne({});
  await db.createCollection('timed', { viewOn: 'base', pipeline: [{ $project: { at: '$$CLUSTER_TIME' } }] });
  const at = async () => (await db.collection('timed').findOne())?.at as Timestamp;
  const first = await at();
  await db.collection('base').updateOne({}, { $set: { seen: true } });
  expect((await at()).greaterThan(first)).toBe(true);
});
