import { test } from 'vitest';
import { expectRefused, ownServer } from '../support/own-server.ts';

const own = ownServer();

test('a change stream is refused on a collection, a database and the deployment', async () => {
  for (const watched of [own.things, own.db, own.client]) {
    const stream = watched.watch();
    await expectRefused(stream.next(), 40573, 'Location40573');
    await stream.close();
  }
});
