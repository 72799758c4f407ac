import { expect, it } from 'vitest';
import { VirtualClock } from '../../../src/base/index.ts';
import {
  compareIds,
  parseSnowflake,
  SnowflakeSource,
  snowflakeAt,
  snowflakeTime,
} from '../../../src/emulator/snowflake.ts';

it('reads the time of an id that Discord documents', () => {
  expect(snowflakeTime('175928847299117063')).toBe(1_462_015_105_796);
  expect(snowflakeTime(snowflakeAt(1_462_015_105_796))).toBe(1_462_015_105_796);
});

it('makes ids that grow, also past 4096 in a millisecond and behind what was given out before', () => {
  const clock = new VirtualClock();
  const source = new SnowflakeSource(clock);
  let last = '0';
  const grow = () => {
    const next = source.next();
    expect(compareIds(next, last)).toBeGreaterThan(0);
    last = next;
  };
  for (let n = 0; n < 10_000; n++) grow();
  const future = snowflakeAt(clock.now() + 60_000);
  source.observe(future);
  last = future;
  for (let n = 0; n < 10; n++) grow();
});

it('holds the moment, the worker and the increment', () => {
  const clock = new VirtualClock();
  const source = new SnowflakeSource(clock);
  const ids = [source.next(), source.next()].map(BigInt);
  expect(ids.map((id) => [Number(id & 0xfffn), Number((id >> 17n) & 31n)])).toEqual([
    [0, 1],
    [1, 1],
  ]);
  expect(snowflakeTime(String(ids[0]))).toBe(clock.now());
});

it.each([
  ['0', '0'],
  ['007', '7'],
  ['18446744073709551615', '18446744073709551615'],
  ['18446744073709551616', undefined],
  ['-1', undefined],
  ['1e3', undefined],
  ['', undefined],
])('takes %s for %s', (text, id) => {
  expect(parseSnowflake(text)).toBe(id);
});
