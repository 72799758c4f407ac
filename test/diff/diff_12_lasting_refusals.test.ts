import { expect, test } from 'vitest';
import { expectRefused, ownServer } from '../support/own-server.ts';

const own = ownServer();
const COMMIT = 'POST /channels/:id/messages';

test('a missing permission fails the write, and nothing of it is kept', async () => {
  await own.things.insertOne({ _id: 1 });
  own.server.emulator.setFaults([{ kind: 'error-before', status: 403, route: COMMIT }]);
  await expect(own.things.insertOne({ _id: 2 })).rejects.toMatchObject({
    code: 96,
    codeName: 'OperationFailed',
    message: expect.stringContaining('permission'),
  });
  own.server.emulator.setFaults([]);
  expect(await own.things.distinct('_id')).toEqual([1]);
  await own.things.insertOne({ _id: 2 });
  expect(await own.things.distinct('_id')).toEqual([1, 2]);
});

test('a channel that somebody deleted fails the write', async () => {
  await own.db.collection('deleted').insertOne({ a: 1 });
  const { guildId } = own.server.emulator.credentials();
  const channel = own.server.emulator.channels(guildId).find(({ name }) => name === 'deleted');
  expect((await discord('DELETE', `/channels/${channel?.id}`)).status).toBe(200);
  await expectRefused(own.db.collection('deleted').insertOne({ a: 2 }), 96, 'OperationFailed');
});

test('a Discord server without room for a channel fails what would make one', async () => {
  const { guildId } = own.server.emulator.credentials();
  let made: { status: number };
  do made = await discord('POST', `/guilds/${guildId}/channels`, { name: 'filler', type: 0 });
  while (made.status === 201);
  expect(made.status).toBe(400);
  await expectRefused(own.db.collection('another').insertOne({ a: 1 }), 14031, 'OutOfDiskSpace');
  expect(await own.db.listCollections({ name: 'another' }).toArray()).toEqual([]);
});

test('a token that is no more fails the write', async () => {
  const { botUserId } = own.server.emulator.credentials();
  await own.server.emulator.landlord.resetToken(botUserId);
  await expect(own.things.insertOne({ _id: 3 })).rejects.toMatchObject({ code: 96, codeName: 'OperationFailed' });
});

/** A request that a person might make, past DiscoDB. */
async function discord(method: string, path: string, body?: object) {
  const { emulator } = own.server;
  const { token } = emulator.credentials();
  return emulator.handle({
    method,
    path: `/api/v10${path}`,
    headers: {
      authorization: `Bot ${token}`,
      'content-type': 'application/json',
      'user-agent': 'DiscordBot (https://example.org, 1)',
    },
    body: Buffer.from(body ? JSON.stringify(body) : ''),
  });
}
