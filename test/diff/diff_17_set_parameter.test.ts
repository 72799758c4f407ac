import { expect, test } from 'vitest';
import { expectRefused, ownServer } from '../support/own-server.ts';

const own = ownServer();

test('only the lifetime of idle cursors, the monitor of expiring documents and limits can be changed', async () => {
  const set = await own.admin({ setParameter: 1, cursorTimeoutMillis: 60_000 });
  expect(set).toMatchObject({ was: 600_000 });
  expect(await own.admin({ getParameter: 1, cursorTimeoutMillis: 1 })).toMatchObject({ cursorTimeoutMillis: 60_000 });
  expect(await own.admin({ setParameter: 1, ttlMonitorSleepSecs: 1 })).toMatchObject({ was: 60 });
  expect(await own.admin({ setParameter: 1, ttlMonitorEnabled: false })).toMatchObject({ was: true });
  expect(await own.admin({ getParameter: '*' })).toMatchObject({ ttlMonitorSleepSecs: 1, ttlMonitorEnabled: false });
  expect(await own.admin({ setParameter: 1, internalQueryMaxPushBytes: 1000 })).toMatchObject({ was: 104_857_600 });
  expect(await own.admin({ setParameter: 1, allowDiskUseByDefault: false })).toMatchObject({ was: true });
  for (const name of ['quiet', 'notablescan', 'internalQueryMaxRangeBytes']) {
    await expectRefused(own.admin({ setParameter: 1, [name]: 1 }), 72, 'InvalidOptions');
  }
  for (const wrong of [{ ttlMonitorSleepSecs: 0 }, { ttlMonitorSleepSecs: 'x' }, { ttlMonitorEnabled: 1 }]) {
    await expectRefused(own.admin({ setParameter: 1, ...wrong }), 2, 'BadValue');
  }
});
