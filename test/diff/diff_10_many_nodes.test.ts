import { expect, test } from 'vitest';
import { ownServer } from '../support/own-server.ts';

const own = ownServer();

test.each([2, 3, 50])('w: %i waits for what majority waits for', async (w) => {
  await own.things.insertOne({ _id: 0 - w });
  const held = { w, wtimeoutMS: 50 };
  own.server.emulator.setFaults([{ kind: 'latency', ms: 400, route: 'POST /channels/:id/messages', times: 1 }]);
  await expect(own.things.insertOne({ _id: w }, { writeConcern: held })).rejects.toMatchObject({ code: 64 });
  expect(await own.things.insertOne({ _id: w + 100 }, { writeConcern: { w } })).toMatchObject({ acknowledged: true });
  const majority = own.things.find({ _id: { $in: [w, w + 100] } }, { readConcern: { level: 'majority' } });
  expect(await majority.toArray()).toEqual([{ _id: w }, { _id: w + 100 }]);
});
