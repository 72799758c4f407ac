import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Collection, Db, Document } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** When a cursor is over: a batch that is full is the last one only where that is known without looking further. */
let server: TestServer;
let db: Db;
let three: Collection<{ _id: number }>;

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('cursors');
  three = db.collection<{ _id: number }>('three');
  await three.insertMany([1, 2, 3].map((_id) => ({ _id })));
});
afterAll(() => server?.close());

const isOpen = ({ cursor }: Document) => !cursor.id.isZero();
const run = (command: Document) => db.command(command, { promoteLongs: false });

describe('after a first batch', () => {
  test.each<[Document, boolean]>([
    [{ find: 'three', batchSize: 3 }, true],
    [{ find: 'three', batchSize: 4 }, false],
    [{ find: 'three' }, false],
    [{ find: 'three', filter: { _id: 9 }, batchSize: 1 }, false],
    [{ find: 'three', batchSize: 3, singleBatch: true }, false],
    [{ find: 'three', limit: 3, batchSize: 3 }, false],
    [{ find: 'nothing', batchSize: 1 }, false],
    [{ aggregate: 'three', pipeline: [], cursor: { batchSize: 3 } }, true],
    [{ aggregate: 'three', pipeline: [{ $group: { _id: null } }], cursor: { batchSize: 1 } }, true],
    [{ aggregate: 'three', pipeline: [], cursor: { batchSize: 4 } }, false],
    [{ listCollections: 1, cursor: { batchSize: 1 } }, false],
  ])('%j leaves one open: %s', async (command, open) => {
    const reply = await run(command);
    expect(isOpen(reply)).toBe(open);
    if (open) expect(await run(lastOf(reply))).toMatchObject({ cursor: { nextBatch: [] } });
  });
});

function lastOf({ cursor }: Document): Document {
  return { getMore: cursor.id, collection: 'three', batchSize: 3 };
}

test('the batch after the last one is empty, and ends the cursor', async () => {
  const sent: string[] = [];
  const client = await server.client({ monitorCommands: true });
  client.on('commandStarted', ({ commandName }) => sent.push(commandName));
  const all = await client.db('cursors').collection('three').find().batchSize(1).toArray();
  expect(all).toHaveLength(3);
  expect(sent).toEqual(['find', 'getMore', 'getMore', 'getMore']);
});
