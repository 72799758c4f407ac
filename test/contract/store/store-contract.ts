import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type ChannelId,
  checkedStore,
  type Draft,
  FILE_BYTES_MAX,
  type Message,
  type Store,
  StoreError,
} from '../../../src/store/index.ts';

/** A store on a guild of its own, and how to let its time pass until a promise settles. */
export interface StoreUnderTest {
  readonly store: Store;
  run<T>(promise: Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** What `store/port.ts` promises, for any store. */
export function storeContract(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps the store's contract`, () => {
    let under: StoreUnderTest;
    let store: Store;
    let channel: ChannelId;
    let posted = 0;

    const run = <T>(promise: Promise<T>) => under.run(promise);
    const draft = (content: string, files: Draft['files'] = []): Draft => {
      return { content, files, nonce: `${channel}x${++posted}`.slice(-25) };
    };
    const post = (content: string, files: Draft['files'] = []) =>
      run(store.append(channel, () => draft(content, files)));
    const page = (before: bigint | undefined, limit = 100) => run(store.pageBefore(channel, before, limit, 'read'));
    const contents = (messages: readonly Message[]) => messages.map(({ content }) => content);

    beforeEach(async () => {
      under = await make();
      store = checkedStore(under.store);
      channel = (await run(store.createChannel({ name: 'things', kind: 'text', topic: 'a topic' }))).id;
    });
    afterEach(() => under.close());

    test('append answers with what is stored', async () => {
      const message = await post('hello');
      expect(message).toMatchObject({ content: 'hello', attachments: [] });
      expect(await run(store.read(channel, message.id, 'read'))).toMatchObject({ id: message.id, content: 'hello' });
    });

    test('content comes back as it was sent, to the limit of 2000 characters', async () => {
      const printable = Array.from({ length: 95 }, (_, at) => String.fromCharCode(0x20 + at)).join('');
      const content = `x\n  ${printable} @everyone <@1> \`\`\` https://discord.com \n\n`.padEnd(2000, 'y');
      const { id } = await post(content);
      expect((await page(undefined))[0]).toMatchObject({ id, content });
    });

    test('files come back byte for byte, to the limit of 10 MiB', async () => {
      const small = Uint8Array.from({ length: 256 }, (_, at) => at);
      const large = new Uint8Array(FILE_BYTES_MAX).fill(7);
      const message = await post('files', [
        { name: 'pack1.1.bin', bytes: small },
        { name: 'pack1.2.bin', bytes: large },
      ]);
      expect(message.attachments.map(({ name, size }) => [name, size])).toEqual([
        ['pack1.1.bin', 256],
        ['pack1.2.bin', FILE_BYTES_MAX],
      ]);
      const [listed] = await page(undefined);
      for (const [at, bytes] of [small, large].entries()) {
        const back = await run(store.download(channel, listed!, listed!.attachments[at]!, 'read'));
        expect(Buffer.compare(back!, bytes)).toBe(0);
      }
    });

    test('a file may be sent without words', async () => {
      const message = await post('', [{ name: 'a.bin', bytes: new Uint8Array(1) }]);
      expect(message.attachments.length).toBe(1);
    });

    test('pages are newest first, bounded by their cursor, which is left out', async () => {
      const posts: Message[] = [];
      for (const content of ['a', 'b', 'c', 'd', 'e']) posts.push(await post(content));
      const [a, b, c, , e] = posts;
      expect(contents(await page(undefined))).toEqual(['e', 'd', 'c', 'b', 'a']);
      expect(contents(await page(undefined, 2))).toEqual(['e', 'd']);
      expect(contents(await page(e!.id, 2))).toEqual(['d', 'c']);
      expect(contents(await page(a!.id))).toEqual([]);
      const above = async (id: bigint, limit: number) =>
        contents(await run(store.pageAfter(channel, id, limit, 'read')));
      expect(await above(0n, 2)).toEqual(['b', 'a']);
      expect(await above(b!.id, 2)).toEqual(['d', 'c']);
      expect(await above(c!.id, 100)).toEqual(['e', 'd']);
      expect(await above(e!.id, 100)).toEqual([]);
    });

    test('a cursor need not be the id of a message', async () => {
      const { id } = await post('only');
      expect(contents(await page(id + 1n))).toEqual(['only']);
      expect(contents(await run(store.pageAfter(channel, id - 1n, 1, 'load')))).toEqual(['only']);
    });

    test('a channel longer than a page is walked without losing or repeating a message', async () => {
      const sent: string[] = [];
      for (let at = 0; at < 205; at++) sent.push(String(at));
      for (const content of sent) await post(content);
      const seen: string[] = [];
      for (let before: bigint | undefined; ; ) {
        const some = await page(before);
        seen.push(...contents(some));
        before = some.at(-1)?.id;
        if (some.length < 100) break;
      }
      expect(seen.reverse()).toEqual(sent);
    });

    test('removing takes messages away, one or many, and what is gone already does no harm', async () => {
      const posts: Message[] = [];
      for (let at = 0; at < 105; at++) posts.push(await post(String(at)));
      await run(store.remove(channel, [posts[0]!.id]));
      await run(
        store.remove(
          channel,
          posts.slice(0, 104).map(({ id }) => id),
        ),
      );
      await run(store.remove(channel, []));
      expect(contents(await page(undefined))).toEqual(['104']);
      expect(await run(store.read(channel, posts[0]!.id, 'read'))).toBeUndefined();
    });

    test('a file of a message that is gone is undefined', async () => {
      const message = await post('', [{ name: 'a.bin', bytes: new Uint8Array(1) }]);
      await run(store.remove(channel, [message.id]));
      const stale = { ...message.attachments[0]!, url: 'https://cdn.invalid/expired' };
      expect(await run(store.download(channel, { ...message, attachments: [stale] }, stale, 'read'))).toBeUndefined();
    });

    test('appends that run at once are each stored once', async () => {
      const many = Array.from({ length: 20 }, (_, at) => String(at));
      await run(Promise.all(many.map((content) => store.append(channel, () => draft(content)))));
      expect(contents(await page(undefined)).sort()).toEqual(many.sort());
    });

    test('channels are listed; a repeated create finds the first one', async () => {
      const shelf = await run(store.createChannel({ name: 'shelf', kind: 'category' }));
      const wanted = { name: 'books', kind: 'text', parentId: shelf.id, topic: 'discodb books' } as const;
      const books = await run(store.createChannel(wanted));
      expect(books).toMatchObject(wanted);
      expect((await run(store.createChannel(wanted))).id).toBe(books.id);
      const listed = await run(store.channels());
      expect(listed.find(({ id }) => id === books.id)).toMatchObject(wanted);
      expect(listed.find(({ id }) => id === shelf.id)).toMatchObject({ kind: 'category', parentId: undefined });
    });

    test('a deleted channel is gone, with a StoreError that says so', async () => {
      await run(store.deleteChannel(channel));
      await run(store.deleteChannel(channel));
      expect((await run(store.channels())).some(({ id }) => id === channel)).toBe(false);
      const above = () => run(store.pageAfter(channel, 0n, 1, 'read'));
      for (const refused of [() => page(undefined), () => post('late'), above]) {
        await expect(refused()).rejects.toMatchObject({ name: 'StoreError', code: 'gone' });
      }
    });

    test('a closed store refuses with a StoreError', async () => {
      await run(store.close());
      await expect(page(undefined)).rejects.toBeInstanceOf(StoreError);
      await expect(post('late')).rejects.toMatchObject({ code: 'closed' });
    });
  });
}
