import { expect, test } from 'vitest';
import { expectRefused, ownServer } from '../support/own-server.ts';

const own = ownServer();

test('only the lifetime of idle cursors can be changed', async () => {
  const set = await own.admin({ setParameter: 1, cursorTimeoutMillis: 60_000 });
  expect(set).toMatchObject({ was: 600_000 });
  expect(await own.admin({ getParameter: 1, cursorTimeoutMillis: 1 })).toMatchObject({ cursorTimeoutMillis: 60_000 });
  for (const name of ['quiet', 'ttlMonitorSleepSecs', 'ttlMonitorEnabled', 'notablescan']) {
    await expectRefused(own.admin({ setParameter: 1, [name]: 1 }), 72, 'InvalidOptions');
  }
});
