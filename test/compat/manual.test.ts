import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MongoClient } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { SERVER_STAGES } from '../unit/engine/manual-operators.ts';

/** The stages of the manual's list that a server answers by itself; test/unit/engine/manual.test.ts tries all others. */
let server: TestServer;
let client: MongoClient;

beforeAll(async () => {
  server = await startServer();
  client = await server.client();
});

afterAll(() => server?.close());

test.each(Object.entries(SERVER_STAGES))('the manual knows the stage %s', async (name, [db, collection]) => {
  const pipeline = [{ [name]: {} }];
  const on = client.db(db);
  const cursor = collection ? on.collection(collection).aggregate(pipeline) : on.aggregate(pipeline);
  expect(await cursor.toArray()).toBeInstanceOf(Array);
});
