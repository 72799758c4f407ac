import { expect, test } from 'vitest';
import { Timestamp } from '../support/driver.ts';
import { expectRefused, ownServer } from '../support/own-server.ts';

const own = ownServer();
const SLOW_MS = 60_000;

test('snapshots are refused', async () => {
  await expectRefused(own.things.findOne({}, { readConcern: { level: 'snapshot' } }), 238, 'NotImplemented');
  const at = { find: 'things', readConcern: { level: 'snapshot', atClusterTime: new Timestamp({ t: 1, i: 1 }) } };
  await expectRefused(own.db.command(at), 238, 'NotImplemented');
  await own.client.withSession({ snapshot: true }, async (session) => {
    await expectRefused(own.things.findOne({}, { session }), 238, 'NotImplemented');
  });
});

test('majority and linearizable see what Discord holds, local what is in memory', async () => {
  await own.things.insertOne({ _id: 1 });
  const ids = async (level: 'local' | 'majority' | 'linearizable') =>
    (await own.things.find({}, { readConcern: { level } }).toArray()).map(({ _id }) => _id);
  own.server.emulator.setFaults([{ kind: 'error-before', status: 503, route: 'POST /channels/:id/messages' }]);
  await own.things.insertOne({ _id: 2 }, { writeConcern: { w: 1 } });
  expect(await ids('local')).toEqual([1, 2]);
  expect(await ids('majority')).toEqual([1]);
  expect(await ids('linearizable')).toEqual([1]);
  own.server.emulator.setFaults([]);
  await expect.poll(() => ids('majority'), { timeout: SLOW_MS }).toEqual([1, 2]);
});
