import { expect, test } from 'vitest';
import { VirtualClock } from '../../../src/base/index.ts';
import {
  type Draft,
  MemoryStore,
  StoreError,
  type StoreEvent,
  snowflakeAt,
  snowflakeTime,
} from '../../../src/store/index.ts';

async function started() {
  const clock = new VirtualClock();
  const store = new MemoryStore(clock);
  const { id } = await store.createChannel({ name: 'things', kind: 'text' });
  return { clock, store, id };
}

const draft = (content: string, nonce: string): Draft => ({ content, files: [], nonce });

test('a nonce is remembered for some minutes: the first message is the answer', async () => {
  const { clock, store, id } = await started();
  const first = await store.append(id, () => draft('one', 'n'));
  expect(await store.append(id, () => draft('two', 'n'))).toEqual(first);
  expect(store.peek(id).length).toBe(1);
  await clock.advance(10 * 60 * 1000);
  expect((await store.append(id, () => draft('two', 'n'))).content).toBe('two');
});

test('a nonce whose message was removed is refused', async () => {
  const { store, id } = await started();
  const first = await store.append(id, () => draft('one', 'n'));
  await store.remove(id, [first.id]);
  await expect(store.append(id, () => draft('two', 'n'))).rejects.toMatchObject({ code: 'refused' });
});

test('ids grow and tell the time', async () => {
  const { clock, store, id } = await started();
  const one = await store.append(id, () => draft('one', '1'));
  const two = await store.append(id, () => draft('two', '2'));
  await clock.advance(5000);
  const three = await store.append(id, () => draft('three', '3'));
  expect(one.id < two.id && two.id < three.id).toBe(true);
  expect(snowflakeTime(three.id)).toBe(clock.now());
  expect(snowflakeTime(snowflakeAt(clock.now()))).toBe(clock.now());
});

test('removals are counted as Discord takes them: by hundreds, one by one when older than 14 days', async () => {
  const { clock, store, id } = await started();
  const post = async (count: number, name: string) => {
    const ids: bigint[] = [];
    for (let at = 0; at < count; at++) ids.push((await store.append(id, () => draft('x', `${name}${at}`))).id);
    return ids;
  };
  const old = await post(3, 'old');
  await clock.advance(15 * 24 * 60 * 60 * 1000);
  const young = await post(150, 'young');
  await store.remove(id, [...old, ...young]);
  expect(store.requests.remove).toBe(3 + 2);
  expect(store.peek(id)).toEqual([]);
});

test('faults are switched on and off', async () => {
  const { store, id } = await started();
  store.faults.fail = (request) => (request === 'append' ? new StoreError('forbidden', 'no') : undefined);
  await expect(store.append(id, () => draft('one', '1'))).rejects.toMatchObject({ code: 'forbidden' });
  expect(await store.pageBefore(id, undefined, 100)).toEqual([]);
  store.faults.fail = undefined;
  const { id: posted } = await store.append(id, () => draft('one', '1'));
  store.faults.forgetRemovals = true;
  await store.remove(id, [posted]);
  expect(store.peek(id).length).toBe(1);
});

test('watchers hear of what is posted, by whom, and of what others delete, until they stop', async () => {
  const { store, id } = await started();
  const events: StoreEvent[] = [];
  const stop = store.watch((event) => void events.push(event));
  const mine = await store.append(id, () => draft('mine', 'w1'));
  const theirs = store.chat(id, 'theirs');
  await store.remove(id, [mine.id]);
  store.erase(id, [theirs]);
  expect(events).toEqual([
    { kind: 'created', channel: id, id: mine.id, authorId: mine.authorId, own: true },
    { kind: 'created', channel: id, id: theirs, authorId: '2', own: false },
    { kind: 'deleted', channel: id, ids: [theirs] },
  ]);
  stop();
  store.chat(id, 'unheard');
  expect(events).toHaveLength(3);
});
