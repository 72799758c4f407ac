import { expect, test } from 'vitest';
import { ownServer } from '../support/own-server.ts';

const own = ownServer();

test('commands and fields that only DiscoDB has', async () => {
  await own.things.insertOne({ _id: 1 });
  const { discodb: status } = await own.admin({ serverStatus: 1 });
  expect(status).toMatchObject({ epoch: expect.any(Number), collections: { known: 1, open: 1 } });
  const { discodb: stats, size } = await own.db.command({ collStats: 'things' });
  expect(stats).toEqual({ cachedBytes: size });
  expect(await own.db.command({ compact: 'things' })).toMatchObject({ ok: 1 });
  expect(await own.things.findOne()).toEqual({ _id: 1 });
  expect(await own.db.command({ compact: 'things', force: true, dryRun: false })).toMatchObject({ ok: 1 });
  await expect(own.db.command({ compact: 'none' })).rejects.toMatchObject({ code: 26 });
  await expect(own.db.command({ compact: 'things', dryRun: true })).rejects.toMatchObject({ code: 238 });
  await expect(own.db.command({ compact: 'things', freeSpaceTargetMB: 20 })).rejects.toMatchObject({ code: 238 });
  expect(await own.admin({ getParameter: 1, discodbUpkeepPaused: 1 })).toMatchObject({ discodbUpkeepPaused: false });
  const { discodb: build } = await own.admin({ buildInfo: 1 });
  expect(build).toEqual({ version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
});
