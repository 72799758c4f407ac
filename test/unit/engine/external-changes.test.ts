import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sleep } from '../../../src/base/index.ts';
import { doc, encode } from '../../../src/bson/index.ts';
import { NS, Stage } from './stage.ts';

describe('a message that somebody deletes', () => {
  let stage: Stage;
  let channel: string;

  /** The message that holds the document with this text in it. */
  const messageOf = (text: string) => stage.store.peek(channel).findLast(({ content }) => content.includes(text))!.id;
  const rest = (ms: number) => stage.run(sleep(stage.clock, ms));

  beforeEach(async () => {
    stage = await Stage.open();
    await stage.insert([{ _id: 'a' }]);
    channel = (await stage.store.channels()).find(({ name }) => name === NS.coll)!.id;
    await stage.insert([{ _id: 'b' }]);
  });
  afterEach(() => stage.run(stage.engine.close()));

  test('takes its document along, and a tombstone says so', async () => {
    const before = stage.store.peek(channel).length;
    stage.store.erase(channel, [messageOf('"a"')]);
    await rest(1000);
    expect(await stage.values('_id')).toEqual(['b']);
    expect(stage.store.peek(channel)).toHaveLength(before);
    expect(stage.store.peek(channel).at(-1)!.content).toContain('{"_id":"a"}');
  });

  test('takes nothing along that has been written again since', async () => {
    const first = messageOf('"a"');
    stage.store.faults.latency = 500;
    const updating = stage.update({ _id: 'a' }, { $set: { v: 2 } });
    stage.store.erase(channel, [first]);
    await updating;
    await rest(5000);
    expect(await stage.values('v', { _id: 'a' })).toEqual([2]);
  });

  test('is found when its end is told before its append is answered', async () => {
    stage.store.faults.latency = 2000;
    const inserted = await stage.run(stage.engine.insert(NS, [encode(doc({ _id: 'c' }))], stage.writing()));
    await rest(3000);
    stage.store.erase(channel, [messageOf('"c"')]);
    await stage.run(inserted.durable);
    expect(await stage.values('_id')).toEqual(['a', 'b', 'c']);
    await rest(10_000);
    expect(await stage.values('_id')).toEqual(['a', 'b']);
  });

  test('in a collection that nobody has opened is left to whoever opens it', async () => {
    await stage.run(stage.engine.close());
    await stage.reopen();
    const { append } = stage.store.requests;
    stage.store.erase(channel, [messageOf('"a"')]);
    await rest(5000);
    expect(stage.store.requests.append).toBe(append);
    expect(await stage.values('_id')).toEqual(['b']);
  });

  test('while its collection is being read is found afterwards', async () => {
    await stage.run(stage.engine.close());
    await stage.reopen();
    stage.store.faults.latency = 1000;
    const counting = stage.engine.count(NS, stage.query({ _id: 'a' }));
    await rest(1500);
    stage.store.erase(channel, [messageOf('"a"')]);
    expect(await stage.run(counting)).toBe(1);
    await rest(10_000);
    expect(await stage.values('_id')).toEqual(['b']);
  });

  test('does not keep the engine from closing', async () => {
    stage.store.faults.latency = 100;
    stage.store.erase(channel, [messageOf('"a"')]);
    await rest(150);
    await stage.run(stage.engine.close());
    stage.store.faults.latency = 0;
    await stage.reopen();
    expect(await stage.values('_id')).toEqual(['b']);
  });
});
