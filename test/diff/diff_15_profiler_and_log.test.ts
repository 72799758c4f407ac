import { expect, test } from 'vitest';
import { expectRefused, ownServer } from '../support/own-server.ts';

const own = ownServer();

test('there is no profiler', async () => {
  expect(await own.db.command({ profile: -1 })).toMatchObject({ was: 0, slowms: 100, sampleRate: 1 });
  expect(await own.db.command({ profile: 0 })).toMatchObject({ was: 0 });
  await expectRefused(own.db.command({ profile: 1 }), 2, 'BadValue');
  await expectRefused(own.db.command({ profile: 2 }), 2, 'BadValue');
});

test('no log is kept to be read', async () => {
  expect(await own.admin({ getLog: '*' })).toMatchObject({ names: ['global', 'startupWarnings'] });
  for (const name of ['global', 'startupWarnings']) {
    expect(await own.admin({ getLog: name })).toMatchObject({ totalLinesWritten: 0, log: [] });
  }
});
