import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Db, Decimal128, Double, Int32, Long } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** The bounds that `$bucketAuto` rounds to, with their types. */
let server: TestServer;
let db: Db;

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('granularity');
});

afterAll(() => server?.close());

const decimal = (text: string) => Decimal128.fromString(text);

test.each([
  ['POWERSOF2', new Int32(5), new Int32(4), new Int32(8)],
  ['POWERSOF2', new Int32(8), new Int32(4), new Int32(16)],
  ['POWERSOF2', new Double(5.5), new Int32(4), new Int32(8)],
  ['POWERSOF2', new Double(0.3), new Double(0.25), new Double(0.5)],
  ['POWERSOF2', Long.fromBigInt(2n ** 40n + 1n), Long.fromBigInt(2n ** 40n), Long.fromBigInt(2n ** 41n)],
  ['POWERSOF2', decimal('5'), decimal('4'), decimal('8')],
  ['R5', new Int32(5), new Double(4), new Double(6.300000000000001)],
  ['E6', new Double(0.8), new Double(0.68), new Double(1)],
  ['R5', decimal('8'), decimal('6.30000000000000'), decimal('10.0000000000000')],
])('%s rounds %s down to %s and up to %s', async (granularity, v, min, max) => {
  const pipeline = [{ $documents: [{ v }] }, { $bucketAuto: { groupBy: '$v', buckets: 1, granularity } }];
  const [found] = await db.aggregate(pipeline, { promoteValues: false }).toArray();
  expect(found!._id).toEqual({ min, max });
});
