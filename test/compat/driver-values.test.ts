import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  Binary,
  BSON,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  type Document,
  Double,
  GridFSBucket,
  Int32,
  Long,
  MaxKey,
  MinKey,
  type MongoClient,
  ObjectId,
  Timestamp,
} from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** What the driver stores comes back byte for byte, whatever its type and size and however it travels. */
const MAX_DOCUMENT_BYTES = 16 * 2 ** 20;
/** A document of one binary field takes this much around the field's bytes. */
const FRAME_BYTES = BSON.calculateObjectSize({ _id: 1, b: new Binary(Buffer.alloc(0)) });

let server: TestServer;
let client: MongoClient;

beforeAll(async () => {
  server = await startServer();
  client = await server.client();
});

afterAll(() => server?.close());

/** The documents of a collection as the bytes that came over the wire. */
async function bytesOf({ db, collectionName }: { db: ReturnType<MongoClient['db']>; collectionName: string }) {
  const docs = await db.collection(collectionName, { raw: true }).find().toArray();
  return docs.map((doc) => Buffer.from(doc as unknown as Uint8Array));
}

describe('every BSON type', () => {
  const values: Record<string, unknown> = {
    double: new Double(1),
    'negative zero': new Double(-0),
    'not a number': Number.NaN,
    infinity: Number.NEGATIVE_INFINITY,
    'smallest double': Number.MIN_VALUE,
    string: 'żółw 🐢 \u0000 ``` @everyone <@1> \u2028',
    'empty string': '',
    document: { a: { b: {} } },
    'document with keys out of order': new Map([
      ['10', 1],
      ['9', 2],
      ['', 3],
      ['a.b', 4],
    ]),
    array: [1, [2, [], {}], null],
    binary: new Binary(Buffer.from([0, 255, 1])),
    'empty binary': new Binary(Buffer.alloc(0)),
    'binary of the old subtype': new Binary(Buffer.from('old'), 2),
    uuid: new BSON.UUID('00112233-4455-6677-8899-aabbccddeeff'),
    'binary of a user subtype': new Binary(Buffer.from('x'), 200),
    objectId: new ObjectId('0123456789abcdef01234567'),
    true: true,
    false: false,
    date: new Date('2024-02-29T12:34:56.789Z'),
    'date before 1970': new Date(-1),
    'far date': new Date(8.64e15),
    null: null,
    regex: /^a.*\/b$/im,
    'regex with odd options': new BSONRegExp('x', 'imsx'),
    reference: new DBRef('other', new ObjectId('0123456789abcdef01234567'), 'db'),
    code: new Code('function () { return 1; }'),
    'code with scope': new Code('x', { x: 1 }),
    symbol: new BSONSymbol('sym'),
    int32: new Int32(-2147483648),
    timestamp: new Timestamp({ t: 4294967295, i: 4294967295 }),
    int64: Long.MAX_VALUE,
    'small int64': Long.fromInt(1),
    bigint: -(2n ** 63n),
    decimal: Decimal128.fromString('1.2300E+6000'),
    'decimal not a number': Decimal128.fromString('NaN'),
    'decimal negative zero': Decimal128.fromString('-0E-10'),
    minKey: new MinKey(),
    maxKey: new MaxKey(),
  };

  test.each(Object.entries(values))('%s', async (name, value) => {
    const collection = client.db('types').collection(name.replaceAll(' ', '_'));
    const doc = { _id: 1, value, within: [value, { value }] };
    await collection.insertOne(doc as Document);
    expect(await bytesOf(collection)).toEqual([Buffer.from(BSON.serialize(doc))]);
    // Through a decode and an encode on the server's side.
    await collection.updateOne({ _id: 1 } as object, { $set: { after: true } });
    expect(await bytesOf(collection)).toEqual([Buffer.from(BSON.serialize({ ...doc, after: true }))]);
    expect(await collection.countDocuments({ after: true })).toBe(1);
  });

  test.each(
    Object.entries(values).filter(([name]) => !/^null|regex|array/.test(name)),
  )('%s as an _id', async (_name, value) => {
    const collection = client.db('types').collection('ids');
    await collection.insertOne({ _id: value } as Document);
    expect(await collection.countDocuments({ _id: value } as Document)).toBe(1);
    await expect(collection.insertOne({ _id: value } as Document)).rejects.toMatchObject({ code: 11000 });
    expect((await collection.deleteOne({ _id: value } as Document)).deletedCount).toBe(1);
  });

  test('fields keep their order, and the _id goes to the front', async () => {
    const collection = client.db('types').collection('order');
    await collection.insertOne({ z: 1, a: 2, _id: 3, m: 4 } as Document);
    expect(Object.keys((await collection.findOne()) as object)).toEqual(['_id', 'z', 'a', 'm']);
    await collection.updateOne({}, { $set: { y: 1, b: 2 } });
    expect(Object.keys((await collection.findOne()) as object)).toEqual(['_id', 'z', 'a', 'm', 'b', 'y']);
  });

  test('numbers keep their type through arithmetic', async () => {
    const collection = client.db('types').collection('sums');
    const doc = { _id: 1, i: new Int32(1), l: Long.fromNumber(1), d: new Double(1), x: Decimal128.fromString('1.0') };
    await collection.insertOne(doc as Document);
    const one = new Int32(1);
    await collection.updateOne({}, { $inc: { i: one, l: one, d: one, x: one } });
    expect(await bytesOf(collection)).toEqual([
      Buffer.from(
        BSON.serialize({
          _id: 1,
          i: new Int32(2),
          l: Long.fromNumber(2),
          d: new Double(2),
          x: Decimal128.fromString('2.0'),
        }),
      ),
    ]);
    await collection.updateOne({}, { $set: { i: new Int32(2147483647) } });
    await collection.updateOne({}, { $inc: { i: one } });
    const kinds = await collection.findOne({ i: { $type: 'long' } }, { promoteLongs: false });
    expect(kinds?.i).toEqual(Long.fromNumber(2147483648));
  });
});

describe('compression', () => {
  test.each(['zlib', 'snappy'] as const)('%s', async (compressor) => {
    const compressed = await server.client({ compressors: [compressor] });
    const collection = compressed.db('compression').collection<{ _id: number; text: string }>(compressor);
    const docs = Array.from({ length: 2000 }, (_, _id) => ({ _id, text: 'the same again and again '.repeat(10) }));
    const before = await received(client);
    await collection.insertMany(docs);
    const plain = docs.reduce((sum, doc) => sum + BSON.calculateObjectSize(doc), 0);
    expect((await received(client)) - before).toBeLessThan(plain / 5);
    expect(await collection.find().toArray()).toEqual(docs);
  });
});

/** Bytes that the server read from all its clients. */
async function received(from: MongoClient): Promise<number> {
  return Number((await from.db('admin').command({ serverStatus: 1 })).network.bytesIn);
}

describe('GridFS', () => {
  test('uploads, downloads, finds, renames and deletes a file', async () => {
    const bucket = new GridFSBucket(client.db('files'), { chunkSizeBytes: 64 * 1024 });
    const content = randomBytes(1_000_000);
    const upload = Readable.from([content.subarray(0, 300_000), content.subarray(300_000)]).pipe(
      bucket.openUploadStream('turtle.bin', { metadata: { kind: 'noise' } }),
    );
    await new Promise((resolve, reject) => upload.on('finish', resolve).on('error', reject));
    expect((await buffer(bucket.openDownloadStreamByName('turtle.bin'))).equals(content)).toBe(true);
    const part = await buffer(bucket.openDownloadStream(upload.id, { start: 70_000, end: 140_000 }));
    expect(part.equals(content.subarray(70_000, 140_000))).toBe(true);
    const [file] = await bucket.find({ 'metadata.kind': 'noise' }).toArray();
    expect(file).toMatchObject({ filename: 'turtle.bin', length: 1_000_000, chunkSize: 65_536 });
    expect(await client.db('files').collection('fs.chunks').countDocuments()).toBe(16);
    expect(await client.db('files').collection('fs.chunks').indexInformation()).toHaveProperty('files_id_1_n_1');
    await bucket.rename(upload.id, 'tortoise.bin');
    expect(await bucket.find({ filename: 'tortoise.bin' }).hasNext()).toBe(true);
    await bucket.delete(upload.id);
    expect(await client.db('files').collection('fs.chunks').countDocuments()).toBe(0);
  });
});

describe('big', () => {
  test('a document of 16 MiB is kept, a bigger one refused', async () => {
    const collection = client.db('big').collection<{ _id: number; b: Binary }>('documents');
    const largest = { _id: 1, b: new Binary(randomBytes(MAX_DOCUMENT_BYTES - FRAME_BYTES)) };
    await collection.insertOne(largest);
    const [bytes] = await bytesOf(collection);
    expect(bytes?.equals(BSON.serialize(largest))).toBe(true);
    const over = { _id: 2, b: new Binary(Buffer.alloc(MAX_DOCUMENT_BYTES - FRAME_BYTES + 1)) };
    await expect(collection.insertOne(over)).rejects.toThrow(/size|large/);
    await expect(collection.updateOne({ _id: 1 }, { $set: { more: 'x' } } as object)).rejects.toMatchObject({
      code: 17419,
    });
    expect(await collection.countDocuments()).toBe(1);
  });

  test('an insertMany that fills a message of 48 MB', async () => {
    const collection = client.db('big').collection<{ _id: number; b: Binary }>('batches');
    const docs = Array.from({ length: 48 }, (_, _id) => ({ _id, b: new Binary(Buffer.alloc(990_000, _id + 1)) }));
    await collection.insertMany(docs);
    let read = 0;
    for await (const { _id, b } of collection.find().sort({ _id: 1 })) {
      expect(_id).toBe(read++);
      expect(b.length()).toBe(990_000);
      expect(b.buffer[0]).toBe(_id + 1);
      expect(b.buffer.at(-1)).toBe(_id + 1);
    }
    expect(read).toBe(48);
  });
});
