import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Collection, MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildOnce, Child, temporaryFolder } from '../support/child.ts';

/** Sorts and groups of more than 100 MB, by a real server: the temporary files, and what is left of them. */
const DOCUMENTS = 9;

const folder = temporaryFolder();
const temporary = () => readdirSync(join(folder, '_tmp', 'embedded'));
let child: Child;
let client: MongoClient;
let things: Collection<{ _id: number }>;

beforeAll(async () => {
  await buildOnce();
  child = new Child(['serve', '--port', '0', '--data-dir', folder, '--cache-size', '16MiB']);
  client = await new MongoClient(await child.said(/mongodb:\/\/\S+/)).connect();
  things = client.db('spilling').collection('things');
  const pad = 'x'.repeat(15 * 2 ** 20);
  for (let _id = 0; _id < DOCUMENTS; _id++) await things.insertOne({ _id, n: (_id * 4) % DOCUMENTS, pad } as never);
}, 120_000);

afterAll(async () => {
  await client.close();
  await child.kill('SIGTERM');
});

/** Reads one document, looks at the files, reads the others. */
async function filesWhile(cursor: { next(): Promise<unknown>; toArray(): Promise<unknown[]> }): Promise<number> {
  await cursor.next();
  const files = temporary().length;
  expect(await cursor.toArray()).toHaveLength(DOCUMENTS - 1);
  return files;
}

test('a sort goes to a file, which is gone when its cursor ends', async () => {
  expect(await filesWhile(things.find().sort({ n: 1 }).batchSize(1))).toBe(1);
  expect(await filesWhile(things.aggregate([{ $set: { more: 1 } }, { $sort: { n: 1 } }], { batchSize: 1 }))).toBe(1);
  expect(temporary()).toEqual([]);
});

test('so does a group', async () => {
  const spec = { _id: '$n', docs: { $push: '$$ROOT' } };
  const grouped = [{ $group: spec }, { $project: { n: { $size: '$docs' } } }];
  expect(await things.aggregate(grouped).toArray()).toHaveLength(DOCUMENTS);
  expect(temporary()).toEqual([]);
});

test('so does a partition', async () => {
  const whole = [{ $setWindowFields: { output: { n: { $count: {} } } } }];
  expect(await filesWhile(things.aggregate(whole, { batchSize: 1 }))).toBe(1);
  expect(temporary()).toEqual([]);
});

test('a cursor that is killed takes its file with it', async () => {
  const cursor = things.find().sort({ n: 1 }).batchSize(1);
  await cursor.next();
  expect(temporary()).toHaveLength(1);
  await cursor.close();
  await expect.poll(temporary).toEqual([]);
});

test('explain tells of it', async () => {
  const { executionStats } = await things.find().sort({ n: 1 }).explain('executionStats');
  expect(executionStats.executionStages).toMatchObject({ stage: 'SORT', usedDisk: true, spills: 1 });
  expect(executionStats.executionStages.spilledDataStorageSize).toBeGreaterThan(50 * 2 ** 20);
  const few = await things.find().sort({ n: 1 }).limit(2).explain('executionStats');
  expect(JSON.stringify(few.executionStats)).toContain('"usedDisk":false');
  const pushed = [{ $group: { _id: '$n', docs: { $push: '$$ROOT' } } }, { $sort: { docs: 1 } }];
  const { stages } = await things.aggregate(pushed).explain('executionStats');
  for (const stage of stages.slice(1)) {
    expect(stage).toMatchObject({ usedDisk: true, nReturned: DOCUMENTS });
    expect(stage.spills).toBeGreaterThan(0);
    expect(stage.spilledDataStorageSize).toBeGreaterThan(50 * 2 ** 20);
  }
  expect(stages[1].spilledRecords).toBeGreaterThan(0);
  expect(stages[1].maxAccumulatorMemoryUsageBytes.docs).toBeGreaterThan(15 * 2 ** 20);
});
