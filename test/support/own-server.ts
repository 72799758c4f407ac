import { afterAll, beforeAll, expect } from 'vitest';
import type { Collection, Db, Document, MongoClient } from './driver.ts';
import { startServer, type TestServer } from './server.ts';

/** What the tests of one file share: a server with nothing in it, and a client of it. */
export interface OwnServer {
  readonly server: TestServer;
  readonly client: MongoClient;
  readonly db: Db;
  readonly things: Collection<Thing>;
  /** Runs a command on the admin database. */
  admin(command: Document): Promise<Document>;
}

export interface Thing extends Document {
  _id: number;
}

/** Starts a server before the tests of this file and stops it after them. */
export function ownServer(): OwnServer {
  let server: TestServer;
  let client: MongoClient;
  beforeAll(async () => {
    server = await startServer();
    client = await server.client();
  });
  afterAll(() => server?.close());
  return {
    get server() {
      return server;
    },
    get client() {
      return client;
    },
    get db() {
      return client.db('diff');
    },
    get things() {
      return client.db('diff').collection<Thing>('things');
    },
    admin: (command) => client.db('admin').command(command),
  };
}

/** Expects the server's refusal with this code. */
export async function expectRefused(work: Promise<unknown>, code: number, codeName: string): Promise<void> {
  await expect(work).rejects.toMatchObject({ name: 'MongoServerError', code, codeName });
}
