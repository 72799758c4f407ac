import { expect, test } from 'vitest';
import { Long } from '../support/driver.ts';
import { expectRefused, ownServer } from '../support/own-server.ts';

const own = ownServer();

test('a command of a transaction is refused, and so is its end', async () => {
  await own.client.withSession(async (session) => {
    session.startTransaction();
    const write = own.things.insertOne({ _id: 1 }, { session });
    await expectRefused(write, 263, 'OperationNotSupportedInTransaction');
    await session.abortTransaction();
  });
  expect(await own.things.countDocuments()).toBe(0);
  const txnNumber = Long.fromNumber(1);
  await expectRefused(own.admin({ commitTransaction: 1, txnNumber, autocommit: false }), 59, 'CommandNotFound');
  await expectRefused(own.admin({ abortTransaction: 1, txnNumber, autocommit: false }), 59, 'CommandNotFound');
});

test('the writes of one command are one message', async () => {
  await own.things.insertOne({ _id: 0 });
  await own.server.requests();
  await own.things.insertMany(Array.from({ length: 500 }, (_, n) => ({ _id: n + 1 })));
  expect(await own.server.requests()).toEqual({ 'POST /channels/:id/messages': 1 });
});
