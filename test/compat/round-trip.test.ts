import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Doc, decode, doc, encode, type Value } from '../../src/bson/index.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { WireClient } from '../support/wire-client.ts';
import { opMsg } from '../support/wire-messages.ts';
import { document } from '../unit/bson/arbitraries.ts';

/** Documents of every type come back as the bytes that were sent, whatever was done to them and undone, over TCP. */
let server: TestServer;
let wire: WireClient;

beforeAll(async () => {
  server = await startServer();
  wire = await WireClient.connect(new URL(server.uri).host);
});

afterAll(async () => {
  wire?.destroy();
  await server?.close();
});

/** Runs a command; its documents go as they are. */
async function run(name: string, fields: object, sequences: Record<string, Uint8Array[]> = {}): Promise<Buffer> {
  const body = encode(doc({ [name]: 'trips', ...fields, $db: 'trip' }));
  wire.send(opMsg(body, { sequences }));
  const reply = await wire.nextWhole();
  // Header, flags and the section's kind stand before the body.
  const answer = decode(reply.subarray(21));
  expect(answer.get('ok')).toBe(1);
  expect(answer.get('writeErrors')).toBeUndefined();
  return reply;
}

/** Looks for the bytes themselves in the reply. */
async function expectStored(id: number, bytes: Buffer, when: string): Promise<void> {
  const reply = await run('find', { filter: { _id: id } });
  expect(reply.includes(bytes), when).toBe(true);
}

async function update(id: number, u: Doc): Promise<void> {
  const statement: Doc = new Map<string, Value>([
    ['q', doc({ _id: id })],
    ['u', u],
  ]);
  await run('update', {}, { updates: [encode(statement)] });
}

const operator = (name: string, path: string, value: Value): Doc => new Map([[name, new Map([[path, value]])]]);

/** Neither an operator, nor a field of our own. */
const plain = document.filter((each) => ![...each.keys()].some((name) => name.startsWith('$') || name === 'own'));

let ids = 0;

test('write, read, update and update back', async () => {
  await fc.assert(
    fc.asyncProperty(plain, plain, async (fields, others) => {
      const id = ++ids;
      const withId = (each: Doc): Doc =>
        new Map<string, Value>(
          [['_id', id], ...each].filter(([name], at) => at === 0 || name !== '_id') as [string, Value][],
        );
      const before = Buffer.from(encode(withId(fields)));
      await run('insert', {}, { documents: [before] });
      await expectStored(id, before, 'as it was written');
      await update(id, operator('$set', 'own', others));
      await update(id, operator('$unset', 'own', ''));
      await expectStored(id, before, '$set and $unset');
      await update(id, withId(others));
      await expectStored(id, Buffer.from(encode(withId(others))), 'replaced');
      await update(id, withId(fields));
      await expectStored(id, before, 'replaced back');
    }),
    { numRuns: 60 },
  );
});
