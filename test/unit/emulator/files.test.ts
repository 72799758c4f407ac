import { beforeEach, describe, expect, it } from 'vitest';
import { Fixture, multipart } from './fixture.ts';

const MIB = 1024 * 1024;
const HOUR = 60 * 60 * 1000;

let discord: Fixture;
let channel: string;

beforeEach(async () => {
  discord = await Fixture.open();
  channel = await discord.channel();
});

const file = (name: string, size = 3) => ({ name, bytes: Buffer.alloc(size, 7) });
const fetchUrl = (url: string) => discord.request('GET', url.replace('http://cdn.test', ''));

describe('attachments', () => {
  it('come back as they went', async () => {
    const { body } = await discord.upload(channel, { attachments: [{ id: 1, description: 'd' }] }, [
      file('a.json', 100_000),
      file('b.txt'),
    ]);
    expect(body.attachments).toMatchObject([
      { filename: 'a.json', size: 100_000, content_type: 'application/json; charset=utf-8' },
      { filename: 'b.txt', size: 3, description: 'd' },
    ]);
    const { status, bytes, headers } = await fetchUrl(body.attachments[0]!.url);
    expect([status, headers['content-length']]).toEqual([200, '100000']);
    expect(Buffer.compare(bytes, Buffer.alloc(100_000, 7))).toBe(0);
  });

  it.each([
    ['my file (1).txt', 'my_file_1.txt'],
    ['__a..', 'a'],
    ['h\u00e9llo.bin', 'hello.bin'],
    ['pack.0.json', 'pack.0.json'],
  ])('have their names cleaned: %s', async (sent, kept) => {
    const { body } = await discord.upload(channel, {}, [file(sent)]);
    expect(body.attachments[0]!.filename).toBe(kept);
  });

  it('get a random name where nothing is left of theirs', async () => {
    const { body } = await discord.upload(channel, {}, [file('\u65e5\u672c')]);
    expect(body.attachments[0]).toMatchObject({
      filename: expect.stringMatching(/^[0-9a-f]{16}$/),
      title: '\u65e5\u672c',
    });
  });

  it('may be ten of 10 MiB each, and 25 MiB in all', async () => {
    const small = Array.from({ length: 10 }, (_, n) => file(`${n}.bin`));
    expect((await discord.upload(channel, {}, small)).body.attachments).toHaveLength(10);
    expect(await discord.upload(channel, {}, [...small, file('x')])).toMatchObject({
      status: 400,
      body: { code: 30015 },
    });
    expect((await discord.upload(channel, {}, [file('a', 10 * MIB), file('b', 10 * MIB)])).status).toBe(200);
    expect(await discord.upload(channel, {}, [file('a', 10 * MIB + 1)])).toMatchObject({
      status: 413,
      body: { code: 40005 },
    });
    const three = [file('a', 9 * MIB), file('b', 9 * MIB), file('c', 9 * MIB)];
    expect(await discord.upload(channel, {}, three)).toMatchObject({ status: 413, body: { code: 40005 } });
  });

  it('are named by JSON attachments that exist', async () => {
    const lost = await discord.upload(channel, { attachments: [{ id: 3 }] }, [file('a')]);
    expect(lost).toMatchObject({ status: 400, body: { code: 50035 } });
  });

  it('are refused when the multipart body is broken', async () => {
    const { bytes } = multipart({ content: 'x' }, []);
    const path = `/channels/${channel}/messages`;
    const cut = bytes.subarray(0, bytes.length - 20);
    const type = 'multipart/form-data; boundary=test-boundary';
    expect((await discord.request('POST', path, cut, { 'content-type': type })).status).toBe(400);
    expect((await discord.request('POST', path, bytes, { 'content-type': 'multipart/form-data' })).status).toBe(400);
  });

  it('stay on an edit unless a list leaves them out; new ones are added', async () => {
    const { body } = await discord.upload(channel, { content: 'x' }, [file('a'), file('b')]);
    const path = `/channels/${channel}/messages/${body.id}`;
    expect((await discord.patch(path, { content: 'y' })).body.attachments).toHaveLength(2);
    const { bytes, contentType } = multipart({}, [file('c')]);
    const added = await discord.request('PATCH', path, bytes, { 'content-type': contentType });
    expect(added.body.attachments.map(({ filename }) => filename)).toEqual(['a', 'b', 'c']);
    const kept = await discord.patch(path, { attachments: [{ id: body.attachments[1]!.id }] });
    expect(kept.body.attachments.map(({ filename }) => filename)).toEqual(['b']);
    expect((await fetchUrl(body.attachments[0]!.url)).status).toBe(404);
    expect((await fetchUrl(body.attachments[1]!.url)).status).toBe(200);
  });
});

describe('a signed link', () => {
  it('lasts 24 hours and is renewed on steps of 12', async () => {
    const { body } = await discord.upload(channel, {}, [file('a')]);
    const first = body.attachments[0]!.url;
    const read = async () => (await discord.get(`/channels/${channel}/messages/${body.id}`)).body.attachments[0]!.url;
    const query = new URL(first).searchParams;
    expect(Number.parseInt(query.get('ex')!, 16) - Number.parseInt(query.get('is')!, 16)).toBe(86_400);
    expect(query.get('hm')).toMatch(/^[0-9a-f]{64}$/);
    await discord.clock.advance(12 * HOUR - 1000);
    expect(await read()).toBe(first);
    await discord.clock.advance(1000);
    const second = await read();
    expect(second).not.toBe(first);
    await discord.clock.advance(12 * HOUR - 1000);
    expect((await fetchUrl(first)).status).toBe(200);
    await discord.clock.advance(1000);
    expect((await fetchUrl(first)).status).toBe(404);
    expect((await fetchUrl(second)).status).toBe(200);
    const { body: refreshed } = await discord.post('/attachments/refresh-urls', {
      attachment_urls: [first.split('?')[0]],
    });
    const [{ refreshed: third }] = refreshed.refreshed_urls as [{ refreshed: string }];
    expect((await fetchUrl(third)).status).toBe(200);
  });

  it.each([
    ['no signature', (url: string) => url.split('?')[0]!],
    ['another name', (url: string) => url.replace('/a?', '/b?')],
    ['a longer life', (url: string) => url.replace(/ex=[0-9a-f]+/, 'ex=ffffffff')],
    ['another signature', (url: string) => url.replace(/hm=[0-9a-f]{4}/, 'hm=0000')],
  ])('with %s is 404', async (_name, spoil) => {
    const { body } = await discord.upload(channel, {}, [file('a')]);
    expect((await fetchUrl(spoil(body.attachments[0]!.url))).status).toBe(404);
  });

  it('of the media proxy serves media alone', async () => {
    const { body } = await discord.upload(channel, {}, [file('a.json'), file('b.png')]);
    const proxied = body.attachments.map((one) => String(one.proxy_url));
    expect((await fetchUrl(proxied[0]!)).status).toBe(415);
    expect((await fetchUrl(proxied[1]!)).status).toBe(200);
  });

  it('is dead once its message or channel is gone', async () => {
    const { body } = await discord.upload(channel, {}, [file('a')]);
    await discord.delete(`/channels/${channel}`);
    expect((await fetchUrl(body.attachments[0]!.url)).status).toBe(404);
  });
});
