import { existsSync } from 'node:fs';
import { type Collection, type Document, type FindCursor, MongoClient } from 'mongodb';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { buildOnce, Child, temporaryFolder } from '../support/child.ts';

const DOCUMENTS = 200_000;
const LIMIT_MIB = 400;

let child: Child;
let client: MongoClient;

beforeAll(buildOnce, 120_000);
afterEach(async () => {
  await client.close();
  await child.kill('SIGTERM');
});

async function start(folder: string): Promise<Collection> {
  child = new Child(['serve', '--port', '0', '--data-dir', folder, '--cache-size', '64MiB']);
  client = await new MongoClient(await child.said(/mongodb:\/\/\S+/)).connect();
  return client.db('memory').collection('things');
}

/** About 200 bytes of BSON. */
function document(n: number): Document {
  return { n, name: `name ${n}`, padding: 'x'.repeat(140) };
}

/** Reads to the end, in order, and returns the highest memory on the way, in MiB. */
async function peakOf(cursor: FindCursor, scale = 1): Promise<number> {
  child.forgetPeak();
  let next = 0;
  for await (const { n } of cursor) if (n !== scale * next++) throw new Error(`${n} where ${next - 1} was expected`);
  expect(next).toBe(DOCUMENTS);
  return child.peak();
}

test.skipIf(!existsSync('/proc/self/clear_refs'))(
  `a cursor over ${DOCUMENTS} documents with a cache of 64 MiB needs less than ${LIMIT_MIB} MiB`,
  async () => {
    const folder = temporaryFolder();
    let things = await start(folder);
    for (let from = 0; from < DOCUMENTS; from += 20_000) {
      await things.insertMany(Array.from({ length: 20_000 }, (_, index) => document(from + index)));
    }
    const peaks: Record<string, number> = {};
    await client.close();
    await child.kill('SIGTERM');

    things = await start(folder);
    peaks.unopened = await peakOf(things.find());
    peaks.opening = await peakOf(things.find());
    peaks.loaded = await peakOf(things.find());
    peaks.filtered = await peakOf(things.find({ n: { $gte: 0 } }));
    peaks.sorted = await peakOf(things.find().sort({ _id: 1 }));
    for (const [name, peak] of Object.entries(peaks)) expect(peak, name).toBeLessThan(LIMIT_MIB);
  },
  300_000,
);
