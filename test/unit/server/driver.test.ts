import zlib from 'node:zlib';
import { MongoClient } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { doc } from '../../../src/bson/index.ts';
import { supportedCompressors } from '../../../src/wire/index.ts';
import { type Handler, start, until } from './harness.ts';

const TEXT = 'what repeats is small when it is compressed; '.repeat(300);

/** Just enough of a mongos for the driver to connect, insert and find. */
function mongos(seen: string[]): Handler {
  return (body, { sequences }) => {
    const [name = ''] = body.keys();
    seen.push(name);
    switch (name.toLowerCase()) {
      case 'hello':
      case 'ismaster': {
        const asked = body.get('compression');
        const compression = Array.isArray(asked)
          ? asked.filter((one) => supportedCompressors().includes(String(one)))
          : [];
        return doc({
          ...{ ok: 1, ismaster: true, isWritablePrimary: true, msg: 'isdbgrid', helloOk: true, compression },
          ...{ minWireVersion: 0, maxWireVersion: 25, logicalSessionTimeoutMinutes: 30 },
          ...{ maxBsonObjectSize: 16_777_216, maxMessageSizeBytes: 48_000_000, maxWriteBatchSize: 100_000 },
        });
      }
      case 'insert':
        return doc({ ok: 1, n: sequences.get('documents')?.length ?? 0 });
      case 'find':
        return doc({ ok: 1, cursor: { id: 0n, ns: 'test.people', firstBatch: [{ _id: 1, text: TEXT }] } });
      default:
        return doc({ ok: 1 });
    }
  };
}

async function session(compressors: string | undefined) {
  const seen: string[] = [];
  await using running = await start(mongos(seen));
  const query = compressors === undefined ? '' : `?compressors=${compressors}`;
  const client = new MongoClient(`mongodb://${running.address}/${query}`, { serverSelectionTimeoutMS: 3_000 });
  try {
    expect(await client.db('admin').command({ ping: 1 })).toMatchObject({ ok: 1 });
    const people = client.db('test').collection('people');
    const before = running.server.counters();
    const documents = Array.from({ length: 3 }, () => ({ text: TEXT }));
    expect((await people.insertMany(documents)).insertedCount).toBe(3);
    const between = running.server.counters();
    expect(await people.find({}).toArray()).toEqual([{ _id: 1, text: TEXT }]);
    const after = running.server.counters();
    await client.close();
    await until(() => seen.includes('endSessions'), 'the goodbye has come');
    return { seen, sent: between.bytesIn - before.bytesIn, got: after.bytesOut - between.bytesOut };
  } finally {
    await client.close();
  }
}

describe('the Node driver', () => {
  it('connects, inserts, finds and says goodbye', async () => {
    const { seen, sent, got } = await session(undefined);
    expect(seen.filter((name) => !/^(hello|ismaster)$/i.test(name))).toEqual(['ping', 'insert', 'find', 'endSessions']);
    expect(sent).toBeGreaterThan(3 * TEXT.length);
    expect(got).toBeGreaterThan(TEXT.length);
  });

  const able = ['zlib', 'snappy', ...('zstdCompress' in zlib ? ['zstd'] : [])];
  it.each(able)('does so compressed with %s', async (compressor) => {
    const { sent, got } = await session(compressor);
    expect(sent).toBeLessThan(TEXT.length);
    expect(got).toBeLessThan(TEXT.length / 2);
  });
});
