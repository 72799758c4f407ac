import { describe, expect, test } from 'vitest';
import { INVALID_REQUEST_BUDGET } from '../../../src/discord/invalid-requests.ts';
import { readNotice, readRefusal } from '../../../src/discord/limit-headers.ts';
import { linkExpired } from '../../../src/discord/link.ts';
import { multipartBody } from '../../../src/discord/multipart.ts';
import { planRemoval } from '../../../src/discord/removal.ts';
import { routes } from '../../../src/discord/routes.ts';
import { snowflakeAt } from '../../../src/store/index.ts';
import { html, json } from './fake-discord.ts';

const DAY = 24 * 3600 * 1000;
const NOW = Date.UTC(2026, 0, 1);

test('a multipart body holds the files’ own bytes', () => {
  const files = [
    { name: 'a.bin', bytes: Uint8Array.of(0, 13, 10, 45, 45) },
    { name: 'b.txt', bytes: new TextEncoder().encode('b') },
  ];
  const { contentType, chunks } = multipartBody({ content: 'x' }, files, 'BOUND');
  expect(contentType).toBe('multipart/form-data; boundary=BOUND');
  expect(chunks[1]).toBe(files[0]!.bytes);
  expect(chunks[3]).toBe(files[1]!.bytes);
  expect(Buffer.concat(chunks).toString('latin1')).toBe(
    [
      '--BOUND',
      'Content-Disposition: form-data; name="payload_json"',
      'Content-Type: application/json',
      '',
      '{"content":"x"}',
      '--BOUND',
      'Content-Disposition: form-data; name="files[0]"; filename="a.bin"',
      'Content-Type: application/octet-stream',
      '',
      '\0\r\n--',
      '--BOUND',
      'Content-Disposition: form-data; name="files[1]"; filename="b.txt"',
      'Content-Type: application/octet-stream',
      '',
      'b',
      '--BOUND--',
      '',
    ].join('\r\n'),
  );
});

describe('limit headers', () => {
  const full = {
    'x-ratelimit-limit': '5',
    'x-ratelimit-remaining': '4',
    'x-ratelimit-reset': '99999999999.123',
    'x-ratelimit-reset-after': '0.987',
    'x-ratelimit-bucket': 'abc',
  };

  test('are read whole or not at all, and by Reset-After', () => {
    expect(readNotice(full)).toEqual({ bucket: 'abc', limit: 5, remaining: 4, resetAfterMs: 987 });
    for (const name of ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset-after']) {
      for (const bad of ['', 'many', '-1', 'Infinity']) expect(readNotice({ ...full, [name]: bad })).toBeUndefined();
    }
    expect(readNotice({})).toBeUndefined();
  });

  test('a 429 tells its scope, its wait (the larger of two), and whether a hidden limit refused', () => {
    const refusal = (body: unknown, headers: Record<string, string>) => readRefusal(json(429, body, headers));
    expect(refusal({ retry_after: 0.4 }, { 'retry-after': '1' })).toEqual({
      scope: 'user',
      waitMs: 1000,
      sublimit: false,
    });
    expect(refusal({ retry_after: 2.4 }, { 'retry-after': '1', 'x-ratelimit-remaining': '2' })).toEqual({
      scope: 'user',
      waitMs: 2400,
      sublimit: true,
    });
    expect(refusal({ retry_after: 1 }, { 'x-ratelimit-scope': 'shared' }).scope).toBe('shared');
    expect(refusal({ retry_after: 1, global: true }, {}).scope).toBe('global');
    expect(refusal({ retry_after: 1 }, { 'x-ratelimit-scope': 'global' }).scope).toBe('global');
    expect(refusal({}, {})).toEqual({ scope: 'user', waitMs: 1000, sublimit: false });
    expect(refusal({ retry_after: 1e9 }, {}).waitMs).toBe(3_600_000);
    expect(readRefusal(html(429))).toEqual({ scope: 'edge', waitMs: 60_000, sublimit: false });
    expect(readRefusal(html(429, { 'retry-after': '7' })).waitMs).toBe(7000);
  });
});

test('the counter of a delete is chosen by the age of its message', () => {
  const key = (age: number) => routes.deleteMessage('1', snowflakeAt(NOW - age), NOW).key;
  const keys = [0, 11_000, 15 * DAY].map(key);
  expect(new Set(keys).size).toBe(3);
  expect(key(9_000)).toBe(keys[0]);
  expect(key(13.9 * DAY)).toBe(keys[1]);
  expect(routes.deleteMessage('1', 5n, NOW).major).toBe('1');
});

test('a removal takes the fewest requests, with a margin to the age limit', () => {
  const ids = (count: number, age: number) =>
    Array.from({ length: count }, (_, index) => snowflakeAt(NOW - age) + BigInt(index));
  const sizes = (all: bigint[]) => {
    const plan = planRemoval(all, NOW);
    return [plan.bulks.map((bulk) => bulk.length), plan.singles.length];
  };
  expect(sizes([])).toEqual([[], 0]);
  expect(sizes(ids(1, DAY))).toEqual([[], 1]);
  expect(sizes(ids(2, DAY))).toEqual([[2], 0]);
  expect(sizes(ids(100, DAY))).toEqual([[100], 0]);
  expect(sizes(ids(101, DAY))).toEqual([[100], 1]);
  expect(sizes([...ids(3, DAY), ...ids(3, DAY)])).toEqual([[3], 0]);
  expect(sizes([...ids(3, 14 * DAY - 60_000), ...ids(2, 13 * DAY)])).toEqual([[2], 3]);
});

test('a link has run out by its own ex, shortly before it does', () => {
  const link = (seconds: number) => `https://cdn.test/a?ex=${Math.floor(NOW / 1000 + seconds).toString(16)}&is=0&hm=0`;
  expect(linkExpired(link(3600), NOW)).toBe(false);
  expect(linkExpired(link(5), NOW)).toBe(true);
  expect(linkExpired(link(-5), NOW)).toBe(true);
  expect(linkExpired('https://cdn.test/a', NOW)).toBe(false);
  expect(linkExpired('no link', NOW)).toBe(false);
});

test('the budget of invalid requests is far below the ban', () => {
  expect(INVALID_REQUEST_BUDGET).toBeLessThanOrEqual(1000);
});
