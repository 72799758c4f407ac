import { existsSync } from 'node:fs';
import { type Collection, type Document, type FindCursor, MongoClient } from 'mongodb';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { buildOnce, Child, temporaryFolder } from '../support/child.ts';

const DOCUMENTS = 200_000;
const LIMIT_MIB = 400;
const MILLION = 1_000_000;
const MILLION_LIMIT_MIB = 700;

let child: Child;
let client: MongoClient;

beforeAll(buildOnce, 120_000);
afterEach(async () => {
  await client.close();
  await child.kill('SIGTERM');
});

async function start(folder: string, cacheSize = '64MiB'): Promise<Collection> {
  child = new Child(['serve', '--port', '0', '--data-dir', folder, '--cache-size', cacheSize]);
  client = await new MongoClient(await child.said(/mongodb:\/\/\S+/)).connect();
  return client.db('memory').collection('things');
}

/** About 200 bytes of BSON. */
function document(n: number): Document {
  return { n, name: `name ${n}`, padding: 'x'.repeat(140) };
}

async function fill(things: Collection, documents: number, batch: number): Promise<void> {
  for (let from = 0; from < documents; from += batch) {
    await things.insertMany(Array.from({ length: batch }, (_, index) => document(from + index)));
  }
}

async function stop(): Promise<void> {
  await client.close();
  await child.kill('SIGTERM');
}

/** Reads to the end, in order, and returns the highest memory on the way, in MiB. */
async function peakOf(cursor: FindCursor, scale = 1): Promise<number> {
  child.forgetPeak();
  let next = 0;
  for await (const { n } of cursor) if (n !== scale * next++) throw new Error(`${n} where ${next - 1} was expected`);
  expect(next).toBe(DOCUMENTS);
  return child.peak();
}

const canMeasure = existsSync('/proc/self/clear_refs');

test.skipIf(!canMeasure)(
  `a cursor over ${DOCUMENTS} documents with a cache of 64 MiB needs less than ${LIMIT_MIB} MiB`,
  async () => {
    const folder = temporaryFolder();
    let things = await start(folder);
    await fill(things, DOCUMENTS, 20_000);
    const peaks: Record<string, number> = {};
    await stop();

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

test.skipIf(!canMeasure)(
  `${MILLION} documents with an index and a cache of 128 MiB need less than ${MILLION_LIMIT_MIB} MiB, and are read by the index`,
  async () => {
    const folder = temporaryFolder();
    let things = await start(folder, '128MiB');
    await things.createIndex({ n: 1 });
    await fill(things, MILLION, 2000);
    const peaks = { opening: 0, reading: 0 };
    await stop();

    things = await start(folder, '128MiB');
    // Nothing that changes anything can go by without the directory.
    await things.updateOne({ n: -1 }, { $set: { n: 0 } });
    peaks.opening = child.peak();
    child.forgetPeak();
    for (let n = 0; n < MILLION; n += MILLION / 200) expect(await things.findOne({ n })).toMatchObject({ n });
    const range = { n: { $gte: MILLION / 2, $lt: MILLION / 2 + 1000 } };
    expect(await things.find(range).sort({ n: 1 }).toArray()).toHaveLength(1000);
    peaks.reading = child.peak();
    for (const [name, peak] of Object.entries(peaks)) expect(peak, name).toBeLessThan(MILLION_LIMIT_MIB);
  },
  600_000,
);
