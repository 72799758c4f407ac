import { hostname } from 'node:os';
import { beforeAll, expect, test } from 'vitest';
import type { Document } from '../support/driver.ts';
import { ownServer } from '../support/own-server.ts';

const own = ownServer();

beforeAll(async () => {
  await own.things.createIndex({ a: 1, b: 1 });
  await own.things.insertMany([
    { _id: 1, a: 1, b: 1 },
    { _id: 2, a: 2, b: 5 },
    { _id: 3, a: 3, b: 5 },
  ]);
});

const explain = (command: Document) => own.db.command({ explain: command, verbosity: 'allPlansExecution' });

test('no other plan is tried, and Discord is told of', async () => {
  const { queryPlanner, executionStats, discord } = await explain({ find: 'things', filter: { a: 1 } });
  expect(queryPlanner.winningPlan).toMatchObject({ stage: 'FETCH' });
  expect(executionStats.allPlansExecution).toEqual([]);
  expect(discord.requests).toEqual({ pages: 0, messages: 0, downloads: 0, appends: 0 });
});

test('a document is read where its key does not tell a field', async () => {
  await own.things.insertOne({ _id: 4, a: null, b: 1 });
  const projected = await explain({
    find: 'things',
    filter: { a: { $exists: true } },
    projection: { _id: 0, a: 1 },
    hint: 'a_1_b_1',
  });
  expect(projected.executionStats).toMatchObject({ nReturned: 4 });
  const covered = await explain({
    find: 'things',
    filter: { b: { $gt: 0 } },
    projection: { _id: 0, a: 1 },
    hint: 'a_1_b_1',
  });
  // MongoDB would show null, for a document that lacks the field too.
  expect(covered.executionStats).toMatchObject({ nReturned: 4, totalDocsExamined: 1 });
});

test('a key beyond the last stretch is not looked at', async () => {
  // MongoDB looks at { a: 3 } to see that there is no more.
  const filter = { a: { $gt: 0, $lt: 3 }, b: 5 };
  const { executionStats } = await explain({ find: 'things', filter });
  expect(executionStats).toMatchObject({ nReturned: 1, totalKeysExamined: 2, totalDocsExamined: 1 });
});

test('equality on _id is IDHACK', async () => {
  const { queryPlanner } = await explain({ find: 'things', filter: { _id: 1 } });
  expect(queryPlanner.winningPlan).toMatchObject({ stage: 'IDHACK' });
});

test('$indexStats names the host alone', async () => {
  const [stats] = await own.things.aggregate([{ $indexStats: {} }]).toArray();
  expect(stats).toMatchObject({ host: hostname() });
});
