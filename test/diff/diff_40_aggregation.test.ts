import { expect, test } from 'vitest';
import { ownServer } from '../support/own-server.ts';

const own = ownServer();

test('$collStats refuses what is not measured', async () => {
  await own.things.insertOne({ _id: 1 });
  for (const name of ['latencyStats', 'queryExecStats']) {
    const stats = own.things.aggregate([{ $collStats: { [name]: {} } }]).toArray();
    await expect(stats).rejects.toMatchObject({ code: 238 });
  }
});

test('$indexStats counts no accesses', async () => {
  const [stats] = await own.things.aggregate([{ $indexStats: {} }]).toArray();
  expect(stats).toMatchObject({ name: '_id_' });
  expect(stats).not.toHaveProperty('accesses');
});

test('$currentOp shows nothing idle', async () => {
  const pipeline = [{ $currentOp: { allUsers: true, idleConnections: true, idleCursors: true, idleSessions: true } }];
  const { cursor } = await own.admin({ aggregate: 1, pipeline, cursor: {} });
  expect(cursor.firstBatch.every(({ active }: { active: boolean }) => active)).toBe(true);
});
