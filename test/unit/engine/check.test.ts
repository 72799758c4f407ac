import { expect, test } from 'vitest';
import { doc, encode } from '../../../src/bson/index.ts';
import { type CheckedPart, checkDeployment, type Finding } from '../../../src/engine/index.ts';
import { type Entry, KeyRing, openLog } from '../../../src/log/index.ts';
import type { ChannelId, Store } from '../../../src/store/index.ts';
import { Stage } from './stage.ts';

const OLD = KeyRing.parse('11'.repeat(32));
const BOTH = KeyRing.parse(`${'22'.repeat(32)}\n${'11'.repeat(32)}`);
const NEW = KeyRing.parse('22'.repeat(32));

function check(stage: Stage, keys?: KeyRing, store: Store = stage.store): Promise<CheckedPart[]> {
  const all = async () => {
    const parts: CheckedPart[] = [];
    for await (const part of checkDeployment({ env: stage.env, store, keys })) parts.push(part);
    return parts;
  };
  return stage.run(all());
}

const findings = (parts: readonly CheckedPart[]): Finding[] => parts.flatMap((part) => part.findings);

async function channelOf(stage: Stage, name: string): Promise<ChannelId> {
  return (await stage.store.channels()).find((channel) => channel.kind === 'text' && channel.name === name)!.id;
}

/** Appends to a log behind the engine's back. */
async function write(stage: Stage, channel: ChannelId, entries: readonly Entry[], keys?: KeyRing): Promise<void> {
  const { env, store } = stage;
  const log = openLog({ env, store, channel, epoch: 1, keys, onProblem: () => {} });
  await stage.run(log.recover(() => {}));
  await stage.run(log.append(entries).durable);
  await stage.run(log.close());
}

const put = (recordId: number, bytes: Uint8Array): Entry => ({ op: 'put', recordId, bytes });

test('a whole deployment has no findings, and nothing in the guild changes', async () => {
  const stage = await Stage.open();
  await stage.insert([{ _id: 1 }, { _id: 2 }]);
  await stage.delete({ _id: 1 });
  const before = { ...stage.store.requests };
  const parts = await check(stage);
  expect(parts.map(({ ns, documents }) => [ns, documents])).toEqual([
    ['discodb.control', 0],
    ['discodb.catalog', 1],
    ['test.things', 1],
    [undefined, 0],
  ]);
  expect(findings(parts)).toEqual([]);
  expect(stage.store.requests).toMatchObject({ append: before.append, remove: before.remove });
});

test('what is no document, and an _id that is there twice, is found', async () => {
  const stage = await Stage.open();
  await stage.insert([{ _id: 1 }]);
  // Too long for text, so that the record takes it as it is.
  const broken = Uint8Array.from(encode(doc({ a: 'text'.repeat(3000) })));
  broken[broken.length - 2] = 65;
  const twin = encode(doc({ _id: 1, twin: true }));
  await write(stage, await channelOf(stage, 'things'), [put(7, twin), put(8, broken), put(9, encode(doc({ a: 1 })))]);
  const texts = findings(await check(stage)).map(({ kind, text }) => [kind, text.replace(/^.*?record \d+ /, '')]);
  expect(texts).toEqual([
    ['document', 'has no _id'],
    ['document', expect.stringMatching(/^is damaged: /)],
    ['document', 'has the _id of another one'],
  ]);
});

test('a catalog that contradicts itself or the guild is found', async () => {
  const stage = await Stage.open();
  await stage.insert([{ _id: 1 }]);
  const catalog = await channelOf(stage, 'catalog');
  const [, entry] = stage.store.peek(catalog);
  const json = entry!.content.split('```json\n')[1]!.split('\n```')[0]!;
  const { channel } = JSON.parse(json);
  await write(stage, catalog, [
    put(50, encode(doc({ _id: 'test.nonsense', channel }))),
    put(51, encode(doc({ _id: `dropped ${channel}` }))),
  ]);
  const orphan = { name: 'lost', kind: 'text', topic: 'DiscoDB collection test.lost 00' } as const;
  await stage.store.createChannel(orphan);
  const parts = await check(stage);
  expect(parts.find(({ ns }) => ns === 'discodb.catalog')!.findings.map(({ kind }) => kind)).toEqual(['catalog']);
  expect(parts.at(-1)!.findings.map(({ kind, text }) => [kind, text])).toEqual([
    ['orphan', `channel ${channel} is left of a dropped collection`],
    ['orphan', expect.stringMatching(/\(lost\) is a collection's, and the catalog does not know it$/)],
  ]);
  await stage.run(stage.store.deleteChannel(channel));
  expect(findings(await check(stage)).map(({ text }) => text)).toContain(
    `test.things is gone: its channel ${channel} does not exist`,
  );
});

test('a key that only older records need is missed where they stand; the newest one is missed at once', async () => {
  const stage = await Stage.open({ keys: OLD });
  await stage.insert([{ _id: 1 }]);
  await stage.reopen(undefined, BOTH);
  await stage.insert([{ _id: 2 }]);
  expect(findings(await check(stage, BOTH))).toEqual([]);
  const parts = await check(stage, NEW);
  expect(findings(parts).map(({ kind }) => kind)).toEqual(['key']);
  await expect(check(stage, OLD)).rejects.toThrow('sealed with the encryption key');
  await expect(check(stage)).rejects.toThrow('sealed with the encryption key');
});

test('a collection that is written to while it is read is read again', async () => {
  const stage = await Stage.open();
  await stage.insert([{ _id: 1 }]);
  const things = await channelOf(stage, 'things');
  let reads = 0;
  const store: Store = Object.assign(Object.create(stage.store), {
    channels: () => stage.store.channels(),
    pageBefore: async (...args: Parameters<Store['pageBefore']>) => {
      const page = await stage.store.pageBefore(args[0], args[1], args[2]);
      if (args[0] !== things || ++reads > 1) return page;
      await write(stage, things, [put(9, encode(doc({ _id: 9 })))]);
      // As if what was superseded had been removed before it was read.
      return page.slice(0, -1);
    },
  });
  await stage.insert([{ _id: 2 }]);
  expect(findings(await check(stage, undefined, store))).toEqual([]);
  expect(reads).toBeGreaterThan(2);
});

test('a guild without DiscoDB has nothing to check', async () => {
  const stage = await Stage.open();
  for (const { id } of await stage.store.channels()) await stage.run(stage.store.deleteChannel(id));
  await expect(check(stage)).rejects.toThrow('DiscoDB keeps nothing in this Discord server.');
});
