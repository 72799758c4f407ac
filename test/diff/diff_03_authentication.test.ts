import { expect, test } from 'vitest';
import { Binary, MongoClient } from '../support/driver.ts';
import { expectRefused, ownServer } from '../support/own-server.ts';

const own = ownServer();

test('nobody is asked who he is, and a client that wants to say it is told that it cannot', async () => {
  const start = { saslStart: 1, mechanism: 'SCRAM-SHA-256', payload: new Binary(Buffer.from('n,,n=user,r=nonce')) };
  await expectRefused(own.admin(start), 59, 'CommandNotFound');
  const hello = await own.admin({ hello: 1, saslSupportedMechs: 'admin.user' });
  expect(hello.saslSupportedMechs).toEqual([]);
  const status = await own.admin({ connectionStatus: 1, showPrivileges: true });
  expect(status.authInfo).toEqual({
    authenticatedUsers: [],
    authenticatedUserRoles: [],
    authenticatedUserPrivileges: [],
  });
  expect((await own.admin({ usersInfo: 1 })).users).toEqual([]);
  expect((await own.admin({ rolesInfo: 1 })).roles).toEqual([]);
});

test('a URI with a user and a password does not connect', async () => {
  const client = new MongoClient(own.server.uri, { auth: { username: 'user', password: 'secret' } });
  await expect(client.connect()).rejects.toMatchObject({ code: 59 });
  await client.close();
});
