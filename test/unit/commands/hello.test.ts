import { describe, expect, it } from 'vitest';
import { type Doc, decode, Int32, ObjectId } from '../../../src/bson/index.ts';
import { at, failure, Harness, message, newConnection } from './harness.ts';

const int = (value: number) => new Int32(value);

describe('hello', () => {
  it('answers as a mongos does', async () => {
    const harness = new Harness();
    const reply = await harness.admin({ hello: 1, helloOk: true, backpressure: true });
    expect([...reply.keys()]).toEqual([
      'isWritablePrimary',
      'msg',
      'topologyVersion',
      'helloOk',
      'maxBsonObjectSize',
      'maxMessageSizeBytes',
      'maxWriteBatchSize',
      'localTime',
      'logicalSessionTimeoutMinutes',
      'connectionId',
      'maxWireVersion',
      'minWireVersion',
      'readOnly',
      'ok',
      '$clusterTime',
      'operationTime',
    ]);
    expect(Object.fromEntries(reply)).toMatchObject({
      isWritablePrimary: true,
      msg: 'isdbgrid',
      maxBsonObjectSize: int(16777216),
      maxMessageSizeBytes: int(48000000),
      maxWriteBatchSize: int(100000),
      logicalSessionTimeoutMinutes: int(30),
      connectionId: int(1),
      maxWireVersion: int(25),
      minWireVersion: int(0),
      readOnly: false,
    });
    expect(reply.has('setName')).toBe(false);
    expect(at(reply, 'topologyVersion.processId')).toBeInstanceOf(ObjectId);
  });

  it('under its old names answers with the old field', async () => {
    for (const name of ['isMaster', 'ismaster']) {
      const reply = await new Harness().admin({ [name]: 1 });
      expect([reply.get('ismaster'), reply.has('isWritablePrimary'), reply.has('helloOk')]).toEqual([
        true,
        false,
        false,
      ]);
    }
  });

  it('names the compressors that both know, in the order of the client', async () => {
    const harness = new Harness();
    expect((await harness.run({ hello: 1, compression: ['snappy', 'zlib', 'zstd'] })).get('compression')).toEqual([
      'zlib',
      'zstd',
    ]);
    expect((await harness.run({ hello: 1, compression: ['none'] })).has('compression')).toBe(false);
  });

  it('names login mechanisms only when asked: none', async () => {
    const harness = new Harness();
    expect((await harness.run({ hello: 1, saslSupportedMechs: 'admin.root' })).get('saslSupportedMechs')).toEqual([]);
  });

  it('takes the client metadata once, up to 512 bytes', async () => {
    const harness = new Harness();
    const client = { driver: { name: 'nodejs', version: '7.0.0' } };
    const long = { application: { name: 'x'.repeat(600) } };
    expect(failure(await harness.run({ hello: 1, client: long }))[1]).toBe('ClientMetadataDocumentTooLarge');
    expect((await harness.run({ hello: 1, client })).get('ok')).toBe(1);
    expect(at(harness.connection.client as Doc, 'driver.name')).toBe('nodejs');
    expect(failure(await harness.run({ hello: 1, client }))[1]).toBe('ClientMetadataCannotBeMutated');
    expect((await harness.run({ hello: 1, client }, { connection: newConnection(2) })).get('ok')).toBe(1);
  });
});

describe('awaitable hello', () => {
  async function versionOf(harness: Harness): Promise<Doc> {
    return (await harness.run({ hello: 1 })).get('topologyVersion') as Doc;
  }

  it('is held as long as the topology stays the same', async () => {
    const harness = new Harness();
    const topologyVersion = await versionOf(harness);
    const reply = await harness.clock.run(harness.run({ hello: 1, topologyVersion, maxAwaitTimeMS: 10_000 }));
    expect(reply.get('ok')).toBe(1);
    expect(harness.clock.monotonic()).toBe(10_000);
  });

  it('is answered at once to a client that knows another process', async () => {
    const harness = new Harness();
    const topologyVersion = { processId: new ObjectId('0123456789abcdef01234567'), counter: 0n };
    expect((await harness.run({ hello: 1, topologyVersion, maxAwaitTimeMS: 10_000 })).get('ok')).toBe(1);
  });

  it('ends with the server', async () => {
    const harness = new Harness();
    const topologyVersion = await versionOf(harness);
    const waiting = harness.run({ hello: 1, topologyVersion, maxAwaitTimeMS: 10_000 });
    await harness.clock.settle();
    await harness.dispatcher.close();
    expect(failure(await waiting)[1]).toBe('ShutdownInProgress');
    expect(harness.clock.monotonic()).toBe(0);
  });

  it('takes both fields or none, and both not negative', async () => {
    const harness = new Harness();
    const topologyVersion = await versionOf(harness);
    const negative = new Map(topologyVersion).set('counter', -1n);
    for (const [args, code] of [
      [{ topologyVersion }, 51760],
      [{ maxAwaitTimeMS: 5 }, 51760],
      [{ topologyVersion: negative, maxAwaitTimeMS: 5 }, 51758],
      [{ topologyVersion, maxAwaitTimeMS: -5 }, 51759],
    ] as const) {
      expect(failure(await harness.run({ hello: 1, ...args }))[0]).toBe(code);
    }
  });

  it('with exhaust comes again by itself, with the version that the client now knows', async () => {
    const harness = new Harness();
    const current = await versionOf(harness);
    const topologyVersion = { processId: new ObjectId('0123456789abcdef01234567'), counter: 3n };
    const request = message({ hello: 1, topologyVersion, maxAwaitTimeMS: 500 }, { exhaustAllowed: true });
    const first = await harness.dispatcher.dispatch(request, harness.connection);
    expect(decode(first.next!.body).get('topologyVersion')).toEqual(current);
    const second = await harness.clock.run(harness.dispatcher.dispatch(first.next!, harness.connection));
    expect(decode(second.body).get('ok')).toBe(1);
    expect(harness.clock.monotonic()).toBe(500);
    expect(second.next).toBeDefined();
  });

  it('exhaust without awaiting is refused, and errors do not come again', async () => {
    const harness = new Harness();
    const reply = await harness.dispatcher.dispatch(
      message({ hello: 1 }, { exhaustAllowed: true }),
      harness.connection,
    );
    expect(failure(decode(reply.body))[0]).toBe(51763);
    expect(reply.next).toBeUndefined();
  });
});
