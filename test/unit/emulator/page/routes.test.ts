import { Script } from 'node:vm';
import { beforeEach, describe, expect, test } from 'vitest';
import { guildPage } from '../../../../src/emulator/page/routes.ts';
import type { ApiReply } from '../../../../src/emulator/types.ts';
import { GatewayWorld } from '../gateway-world.ts';

let world: GatewayWorld;
beforeEach(async () => {
  world = await GatewayWorld.open();
});

async function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<ApiReply | undefined> {
  return guildPage(world.core)({ method, path, headers, body: new Uint8Array() });
}

async function text(path: string): Promise<string> {
  return Buffer.from((await get(path))!.body).toString();
}

interface View {
  readonly channels: string;
  readonly messages: string;
  readonly more: boolean;
  readonly open?: string;
}

async function view(query: string): Promise<View> {
  return JSON.parse(await text(`/_emulator/api/view${query}`)) as View;
}

const ids = (html: string) => [...html.matchAll(/<li id="m(\d+)"/g)].map((match) => match[1]);

const HOSTILE = `</li><script>alert("1")</script><img src=x onerror='alert(2)'>`;

describe('the page', () => {
  test('shows categories, channels, and the messages of the open one', async () => {
    await world.post('```json\n{"a": 1}\n```');
    const html = await text(`/_emulator/?channel=${world.channelId}`);
    expect(html).toContain(`<a href="/_emulator/?channel=${world.channelId}" aria-current="page">`);
    expect(html).toContain('<span class="k">&quot;a&quot;</span>');
    expect(html).toContain('<time class="at" datetime="2026-01-01T');
  });

  test('opens the channel that was written to last when none is asked for, or an unknown one', async () => {
    const other = await world.createChannel('busy');
    await world.createChannel('empty');
    await world.post('x');
    await world.post('x', world.bot, other);
    for (const path of ['/_emulator/', '/_emulator', '/_emulator/?channel=1', '/_emulator/?channel=<b>']) {
      expect(await text(path)).toContain(`<body data-channel="${other}">`);
    }
  });

  test('names nothing outside itself, and its policy allows nothing else', async () => {
    const html = await text('/_emulator/');
    const linked = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map((match) => match[1]!);
    expect(linked.length).toBeGreaterThan(3);
    for (const target of linked) expect(target).toMatch(/^(?:\/_emulator\/|#)/);
    expect(html).not.toMatch(/<script>|<style|style=|\son\w+=/);
    const policy = (await get('/_emulator/'))!.headers['content-security-policy'];
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
  });

  test('has its style and script, and nothing under other names', async () => {
    expect((await get('/_emulator/page.css'))?.headers['content-type']).toBe('text/css; charset=utf-8');
    expect((await get('/_emulator/page.js'))?.headers['content-type']).toBe('text/javascript; charset=utf-8');
    const script = await text('/_emulator/page.js');
    expect(() => new Script(script)).not.toThrow();
    for (const path of ['/_emulator/stats', '/_emulator/../x', '/', '/api/v10/gateway', '//', '//[']) {
      expect(await get(path)).toBeUndefined();
    }
  });

  test('takes GET alone', async () => {
    expect((await get('/_emulator/', {}, 'POST'))?.status).toBe(405);
  });

  test('draws attachments as chips with size and a signed link', async () => {
    await world.postFile('a pack', 'pack-1.bin', new Uint8Array(14_541));
    const { messages } = await view(`?channel=${world.channelId}`);
    expect(messages).toMatch(
      /<a class="file" href="http:\/\/127\.0\.0\.1:1\/attachments\/[^"]*&amp;hm=[^"]*" rel="noreferrer" download>/,
    );
    expect(messages).toContain('<span class="name">pack-1.bin</span><span class="size">14.2 KB</span>');
  });

  test('lets no content become markup', async () => {
    await world.post(HOSTILE);
    await world.post(`\`\`\`json\n{"a": "${HOSTILE.replaceAll('"', '')}"}\n\`\`\``);
    await world.setTopic(HOSTILE);
    const html = await text(`/_emulator/?channel=${world.channelId}`);
    expect(html).not.toMatch(/<(?:script>|img)/);
    expect(html).toContain('&lt;script&gt;');
  });
});

describe('the view for the script', () => {
  test('pages back through a channel without a gap or a repetition', async () => {
    const posted: string[] = [];
    for (let at = 0; at < 120; at++) posted.push(await world.post(`message ${at}`));
    const seen: (string | undefined)[] = [];
    let query = `?channel=${world.channelId}`;
    for (let more = true; more; ) {
      const page = await view(query);
      seen.unshift(...ids(page.messages));
      more = page.more;
      query = `?channel=${world.channelId}&before=${seen[0]}`;
    }
    expect(seen).toEqual(posted);
  });

  test('draws a message the same way on whatever page it stands', async () => {
    for (let at = 0; at < 51; at++) await world.post(`message ${at}`);
    const { messages } = await view(`?channel=${world.channelId}`);
    expect(messages).not.toContain('class="face');
    const older = await view(`?channel=${world.channelId}&before=${ids(messages)[0]}`);
    expect(older.messages).toContain('class="face');
  });

  test('comes as a server-sent event when something changed, and as none when not', async () => {
    await world.post('x');
    const path = `/_emulator/api/live?channel=${world.channelId}`;
    const ask = async (headers = {}) => Buffer.from((await get(path, headers))!.body).toString();
    const [, id, data] = /^retry: 1500\nid: (\S+)\ndata: (.*)\n\n$/.exec(await ask()) ?? [];
    expect(JSON.parse(data!)).toEqual(await view(`?channel=${world.channelId}`));
    expect(await ask({ 'last-event-id': id! })).toBe('retry: 1500\n\n');
    await world.post('y\ny');
    expect(await ask({ 'last-event-id': id! })).toContain('<p>y</p><p>y</p>');
  });

  test.each([
    ['?channel=1', 404],
    ['?channel=x', 404],
  ])('%s is %i', async (query, status) => {
    expect((await get(`/_emulator/api/view${query}`))?.status).toBe(status);
    expect((await get(`/_emulator/api/live${query}`))?.status).toBe(status);
  });

  test('refuses a position that is no id', async () => {
    expect((await get(`/_emulator/api/view?channel=${world.channelId}&before=1;x`))?.status).toBe(400);
  });
});
