import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Db, Document } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** What Atlas Search alone can do is refused in the words of a MongoDB that is without it. */
let server: TestServer;
let db: Db;

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('search');
  await db.collection('c').insertOne({});
});
afterAll(() => server?.close());

const HOW =
  'requires additional configuration. Please connect to Atlas or an AtlasCLI local deployment to enable. For more information on how to connect, see https://dochub.mongodb.org/core/atlas-cli-deploy-local-reqs.';
const INDEXES = `Using Atlas Search Database Commands and the $listSearchIndexes aggregation stage ${HOW}`;
const STAGES = `Using $search and $vectorSearch aggregation stages ${HOW}`;
const definition = { mappings: { dynamic: true } };

test.each<[Document, string]>([
  [{ createSearchIndexes: 'c', indexes: [{ name: 'x', definition }] }, INDEXES],
  [{ updateSearchIndex: 'c', name: 'x', definition }, INDEXES],
  [{ dropSearchIndex: 'c', name: 'x' }, INDEXES],
  [{ aggregate: 'c', pipeline: [{ $listSearchIndexes: {} }], cursor: {} }, INDEXES],
  [{ aggregate: 'c', pipeline: [{ $search: { text: {} } }], cursor: {} }, STAGES],
  [{ aggregate: 'c', pipeline: [{ $searchMeta: {} }], cursor: {} }, STAGES],
  [{ aggregate: 'c', pipeline: [{ $vectorSearch: {} }], cursor: {} }, STAGES],
])('%j', async (command, errmsg) => {
  await expect(db.command(command)).rejects.toMatchObject({ code: 31082, codeName: 'SearchNotEnabled', errmsg });
});

test('what a command cannot be without is asked for first', async () => {
  await expect(db.command({ createSearchIndexes: 'c' })).rejects.toMatchObject({ code: 40414 });
  await expect(db.command({ updateSearchIndex: 'c', name: 'x' })).rejects.toMatchObject({ code: 40414 });
  await expect(db.command({ dropSearchIndex: 'c', other: 1 })).rejects.toMatchObject({ code: 40415 });
});
