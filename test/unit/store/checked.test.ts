import { expect, test } from 'vitest';
import { InvariantError, VirtualClock } from '../../../src/base/index.ts';
import { checkedStore, type Draft, MemoryStore, type Message, type Store } from '../../../src/store/index.ts';

async function memory() {
  const store = new MemoryStore(new VirtualClock());
  const { id } = await store.createChannel({ name: 'things', kind: 'text' });
  return { store, id };
}

const draft: Draft = { content: 'hello', files: [], nonce: 'n' };
const file = (name: string, size: number) => ({ name, bytes: new Uint8Array(size) });
const MIB = 1024 * 1024;

test.each<[string, Partial<Draft>]>([
  ['content that is not ASCII', { content: 'caf\u00e9' }],
  ['control characters', { content: 'a\tb' }],
  ['content that Discord would trim', { content: 'a ' }],
  ['too much content', { content: 'x'.repeat(2001) }],
  ['an empty message', { content: '' }],
  ['no nonce', { nonce: '' }],
  ['a long nonce', { nonce: 'x'.repeat(26) }],
  ['a name that Discord rewrites', { files: [file('A b.bin', 1)] }],
  ['an empty file', { files: [file('a.bin', 0)] }],
  ['a large file', { files: [file('a.bin', 10 * MIB + 1)] }],
  ['eleven files', { files: Array.from({ length: 11 }, (_, at) => file(`a${at}.bin`, 1)) }],
  ['two files of one name', { files: [file('a.bin', 1), file('a.bin', 1)] }],
  ['a large request', { files: [file('a.bin', 10 * MIB), file('b.bin', 10 * MIB), file('c.bin', 5 * MIB)] }],
])('a draft with %s is an error of this program', async (_, wrong) => {
  const { store, id } = await memory();
  const append = checkedStore(store).append(id, () => ({ ...draft, ...wrong }));
  await expect(append).rejects.toBeInstanceOf(InvariantError);
  expect(store.peek(id)).toEqual([]);
});

/** A store that answers otherwise than it promises. */
async function lying(lie: Partial<Store>): Promise<{ store: Store; id: string }> {
  const { store, id } = await memory();
  return { store: checkedStore(Object.assign(store, lie)), id };
}

const message = (id: bigint): Message => ({ id, content: 'x', attachments: [], authorId: '1' });

test.each<[string, Partial<Store>]>([
  ['oldest first', { pageBefore: async () => [message(1n), message(2n)] }],
  ['too long', { pageBefore: async () => [message(3n), message(2n), message(1n)] }],
  ['beyond its cursor', { pageBefore: async () => [message(9n)] }],
  ['not there for a reason that the port does not know', { pageBefore: () => Promise.reject(new TypeError('oops')) }],
])('a page that is %s is an error of this program', async (_, lie) => {
  const { store, id } = await lying(lie);
  await expect(store.pageBefore(id, 5n, 2, 'read')).rejects.toBeInstanceOf(InvariantError);
});

test('sealing twice or never is an error of this program', async () => {
  const twice = await lying({
    append: async (_, seal) => {
      seal();
      seal();
      return message(1n);
    },
  });
  await expect(twice.store.append(twice.id, () => draft)).rejects.toThrow('seal is called once');
  const never = await lying({ append: async () => message(1n) });
  await expect(never.store.append(never.id, () => draft)).rejects.toThrow('seal is called before');
});

test('page limits are 1 to 100', async () => {
  const { store, id } = await memory();
  for (const limit of [0, 101, 1.5]) {
    await expect(checkedStore(store).pageBefore(id, undefined, limit, 'read')).rejects.toBeInstanceOf(InvariantError);
  }
});

test('an event that names nothing deleted is an error of this program', async () => {
  const { store } = await lying({
    watch: (listener) => {
      listener({ kind: 'deleted', channel: '1', ids: [] });
      return () => {};
    },
  });
  expect(() => store.watch(() => {})).toThrow(InvariantError);
});
