import { describe, expect, test } from 'vitest';
import { randomInt, sleep } from '../../../src/base/index.ts';
import { routes } from '../../../src/discord/routes.ts';
import { type LimitMode, Scheduler } from '../../../src/discord/scheduler.ts';
import type { TransportReply } from '../../../src/discord/transport.ts';
import type { Priority } from '../../../src/store/index.ts';
import { html, inVirtualTime, json, ServerBucket, type World } from './fake-discord.ts';

/** A scheduler in front of counters, with what left and when. */
function server(world: World, bucketOf: (channel: string) => ServerBucket | undefined, mode: LimitMode = 'discord') {
  const scheduler = new Scheduler(world.clock, mode);
  const sent: { name: string; channel: string; at: number }[] = [];
  const left: string[] = [];
  let queuedReplies: TransportReply[] = [];
  const jitter = () => 20 + randomInt(world.env.random, 60);
  const post = (channel: string, name: string, priority: Priority = 'commit') =>
    scheduler.run(routes.postMessage(channel), priority, async () => {
      left.push(name);
      await sleep(world.clock, jitter());
      const now = world.clock.now();
      sent.push({ name, channel, at: now });
      const scripted = queuedReplies.shift();
      const taken = bucketOf(channel)?.take(world.clock.monotonic());
      await sleep(world.clock, jitter());
      return scripted ?? taken?.refusal ?? json(200, {}, taken?.headers ?? {});
    });
  return { scheduler, left, sent, post, script: (...replies: TransportReply[]) => (queuedReplies = replies) };
}

const times = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('a bucket that was learned from headers is never overrun', () => {
  for (const refill of ['window', 'leaky'] as const) {
    for (const [limit, windowMs] of [
      [5, 5000],
      [3, 1000],
      [30, 120_000],
      [1, 3000],
    ] as const) {
      test(
        `${limit} in ${windowMs} ms, ${refill}`,
        inVirtualTime(async (world) => {
          const bucket = new ServerBucket(limit, windowMs, refill);
          const { post, sent } = server(world, () => bucket);
          const count = 400;
          const start = world.clock.now();
          await Promise.all(times(count).map((index) => post('1', String(index))));
          expect(sent).toHaveLength(count);
          expect(bucket.overruns).toBe(0);
          const ideal = (count / limit) * windowMs;
          expect(world.clock.now() - start).toBeLessThan(ideal * 1.25 + windowMs);
        }),
        20_000,
      );
    }
  }

  test(
    'with pauses, over thousands of requests in several channels',
    inVirtualTime(async (world) => {
      const buckets = new Map(times(4).map((index) => [String(index), new ServerBucket(5, 5000, 'leaky')]));
      const { post, sent } = server(world, (channel) => buckets.get(channel));
      const writer = async (channel: string) => {
        for (const round of times(120)) {
          await Promise.all(times(1 + (round % 5)).map((index) => post(channel, `${round}.${index}`)));
          if (round % 7 === 0) await sleep(world.clock, randomInt(world.env.random, 8000));
        }
      };
      await Promise.all([...buckets.keys()].map(writer));
      expect(sent.length).toBe(4 * 360);
      for (const bucket of buckets.values()) expect(bucket.overruns).toBe(0);
    }),
    20_000,
  );

  test(
    'a steadily refilled bucket is used steadily, once it has shown itself',
    inVirtualTime(async (world) => {
      const bucket = new ServerBucket(5, 5000, 'leaky');
      const { post, sent } = server(world, () => bucket);
      await Promise.all(times(60).map((index) => post('1', String(index))));
      const gaps = sent.slice(30).map(({ at }, index) => at - sent[29 + index]!.at);
      expect(Math.max(...gaps)).toBeLessThan(1600);
      expect(bucket.overruns).toBe(0);
    }),
  );
});

test(
  'the global budget holds 50 in every second, over many channels',
  inVirtualTime(async (world) => {
    const { post, sent } = server(world, () => undefined);
    await Promise.all(times(400).map((index) => post(String(index), 'x')));
    const at = sent.map((entry) => entry.at).sort((a, b) => a - b);
    for (let index = 50; index < at.length; index++) expect(at[index]! - at[index - 50]!).toBeGreaterThan(1000);
    expect(at.at(-1)! - at[0]!).toBeLessThan(11_000);
  }),
);

test(
  'the first request of an unknown bucket goes alone, and the others wait for what it teaches',
  inVirtualTime(async (world) => {
    const bucket = new ServerBucket(5, 5000, 'window');
    const { post, left, sent } = server(world, () => bucket);
    const early = times(4).map((index) => post('1', String(index)));
    await sleep(world.clock, 15);
    const late = post('1', 'late');
    await sleep(world.clock, 20);
    expect(left).toHaveLength(1);
    await Promise.all([...early, late]);
    expect(sent).toHaveLength(5);
    expect(sent.at(-1)!.at - sent[0]!.at).toBeLessThan(400);
  }),
);

test(
  'two routes with one hash share a counter',
  inVirtualTime(async (world) => {
    const bucket = new ServerBucket(5, 5000, 'window');
    const scheduler = new Scheduler(world.clock, 'discord');
    const send = async () => {
      await sleep(world.clock, 30);
      const { headers, refusal } = bucket.take(world.clock.monotonic());
      await sleep(world.clock, 30);
      return refusal ?? json(200, {}, headers);
    };
    const one = () => scheduler.run(routes.postMessage('1'), 'commit', send);
    const two = () => scheduler.run(routes.listMessages('1', 'limit=1'), 'read', send);
    await Promise.all([one(), two()]);
    await Promise.all(times(60).flatMap(() => [one(), two()]));
    expect(bucket.overruns).toBe(0);
    expect(scheduler.metrics().buckets).toBe(1);
  }),
);

test(
  'a commit passes reads, loads and upkeep, and upkeep still gets its share',
  inVirtualTime(async (world) => {
    const bucket = new ServerBucket(1, 1000, 'window');
    const { post, sent } = server(world, () => bucket);
    await post('1', 'first');
    const upkeep = times(3).map((index) => post('1', `upkeep ${index}`, 'upkeep'));
    const order = ['load', 'read', 'commit'] as const;
    const few = order.map((priority) => post('1', priority, priority));
    const commits = times(60).map((index) => post('1', `commit ${index}`, 'commit'));
    await Promise.all([...few, ...commits, ...upkeep]);
    const names = sent.map(({ name }) => name);
    expect(names.indexOf('commit')).toBeLessThan(names.indexOf('read'));
    expect(names.indexOf('read')).toBeLessThan(names.indexOf('load'));
    expect(names.indexOf('commit 10')).toBeLessThan(names.indexOf('upkeep 0'));
    expect(names.indexOf('upkeep 0')).toBeLessThan(names.indexOf('commit 20'));
    expect(names.indexOf('upkeep 2')).toBeLessThan(names.indexOf('commit 55'));
    expect(new Set(names).size).toBe(names.length);
  }),
);

describe('refusals', () => {
  const body = (seconds: number, global = false) => ({ message: 'slow down', retry_after: seconds, global });

  test(
    'a global one silences every channel of the token',
    inVirtualTime(async (world) => {
      const { post, sent, script, scheduler } = server(world, () => undefined);
      await post('2', 'known');
      script(json(429, body(2.5, true), { 'retry-after': '3', 'x-ratelimit-global': 'true' }));
      await post('1', 'refused');
      const start = world.clock.now();
      await post('2', 'after');
      expect(sent.at(-1)!.at - start).toBeGreaterThanOrEqual(3000);
      expect(scheduler.metrics().refusals.global).toBe(1);
    }),
  );

  test(
    'a page of Cloudflare without any header silences the token for a minute, in mode off too',
    inVirtualTime(async (world) => {
      const { post, sent, script } = server(world, () => undefined, 'off');
      script(html(429));
      await post('1', 'refused');
      const start = world.clock.now();
      await Promise.all([post('1', 'after'), post('2', 'after too')]);
      expect(sent.at(-1)!.at - start).toBeGreaterThanOrEqual(60_000);
      expect(sent.at(-1)!.at - start).toBeLessThan(61_000);
    }),
  );

  test(
    'a hidden limit makes its bucket wait without emptying it',
    inVirtualTime(async (world) => {
      const bucket = new ServerBucket(5, 5000, 'window');
      const { post, sent, script } = server(world, () => bucket);
      await post('1', 'teaches');
      script(json(429, body(0.7), { 'retry-after': '1', 'x-ratelimit-scope': 'user', 'x-ratelimit-remaining': '3' }));
      await post('1', 'refused');
      const start = world.clock.now();
      await Promise.all([post('1', 'a'), post('1', 'b'), post('1', 'c')]);
      expect(sent.at(-3)!.at - start).toBeGreaterThanOrEqual(1000);
      expect(sent.at(-1)!.at - sent.at(-3)!.at).toBeLessThan(100);
      expect(bucket.overruns).toBe(0);
    }),
  );

  test(
    'a shared one holds its channel alone, for the larger of header and body',
    inVirtualTime(async (world) => {
      const { post, sent, script } = server(world, () => undefined);
      await Promise.all([post('1', 'x'), post('2', 'x')]);
      script(json(429, { ...body(4.2), code: 20028 }, { 'retry-after': '2', 'x-ratelimit-scope': 'shared' }));
      await post('1', 'refused');
      const start = world.clock.now();
      await Promise.all([post('2', 'free'), post('1', 'held')]);
      expect(sent.find(({ name }) => name === 'free')!.at - start).toBeLessThan(200);
      expect(sent.find(({ name }) => name === 'held')!.at - start).toBeGreaterThanOrEqual(4200);
    }),
  );

  test(
    'a refusal that the headers did not foretell makes the bucket unknown again',
    inVirtualTime(async (world) => {
      const { post, sent, script } = server(world, () => undefined);
      script(
        json(200, {}, { 'x-ratelimit-limit': '1000', 'x-ratelimit-remaining': '999', 'x-ratelimit-reset-after': '1' }),
        json(429, body(5), { 'x-ratelimit-scope': 'user', 'x-ratelimit-remaining': '0', 'x-ratelimit-limit': '5' }),
      );
      await post('1', 'teaches wrong');
      await post('1', 'refused');
      const start = world.clock.now();
      await Promise.all(times(3).map((index) => post('1', `after ${index}`)));
      const after = sent.slice(2).map(({ at }) => at - start);
      expect(after[0]).toBeGreaterThanOrEqual(5000);
      expect(after[1]! - after[0]!).toBeGreaterThan(15);
    }),
  );
});

test(
  'a delete that ends in 404 teaches nothing about its own counter',
  inVirtualTime(async (world) => {
    const scheduler = new Scheduler(world.clock, 'discord');
    const route = () => routes.deleteMessage('1', 1n << 40n, world.clock.now());
    const charged = {
      'x-ratelimit-limit': '5',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset-after': '5',
      'x-ratelimit-bucket': 'young',
    };
    await scheduler.run(route(), 'upkeep', async () => json(404, { code: 10008 }, charged));
    const start = world.clock.now();
    await scheduler.run(route(), 'upkeep', async () => json(204, undefined));
    expect(world.clock.now() - start).toBeLessThan(10);
  }),
);

test(
  'in mode off nothing waits and no timer is set, until a limit speaks up',
  inVirtualTime(async (world) => {
    const scheduler = new Scheduler(world.clock, 'off');
    let sent = 0;
    const send = async () => {
      sent += 1;
      return json(200, {});
    };
    const runs = times(100).map(() => scheduler.run(routes.postMessage('1'), 'commit', send));
    expect(sent).toBe(100);
    await Promise.all(runs);
    const bucket = new ServerBucket(5, 5000, 'window');
    const counted = async () => {
      const { headers, refusal } = bucket.take(world.clock.monotonic());
      return refusal ?? json(200, {}, headers);
    };
    await scheduler.run(routes.postMessage('1'), 'commit', counted);
    await Promise.all(times(20).map(() => scheduler.run(routes.postMessage('1'), 'commit', counted)));
    expect(bucket.overruns).toBe(0);
  }),
);

test(
  'stopping refuses whoever waits, and whoever comes',
  inVirtualTime(async (world) => {
    const { post, scheduler } = server(world, () => new ServerBucket(1, 60_000, 'window'));
    await post('1', 'first');
    const reason = new Error('over');
    const waits = expect(post('1', 'waits')).rejects.toBe(reason);
    await sleep(world.clock, 10);
    scheduler.stop(reason);
    await waits;
    await expect(post('1', 'comes')).rejects.toBe(reason);
  }),
);

test(
  'a wall clock that is set back stops nobody',
  inVirtualTime(async (world) => {
    const bucket = new ServerBucket(5, 5000, 'window');
    const { post, sent } = server(world, () => bucket);
    await Promise.all(times(7).map((index) => post('1', `before ${index}`)));
    const waiting = times(7).map((index) => post('1', `across ${index}`));
    world.clock.setBack(3_600_000);
    const start = world.clock.monotonic();
    await Promise.all([...waiting, ...times(20).map((index) => post('1', `after ${index}`))]);
    expect(world.clock.monotonic() - start).toBeLessThan(40_000);
    expect(sent).toHaveLength(34);
    expect(new Set(sent.map(({ name }) => name)).size).toBe(34);
  }),
);
