import { describe, expect, it } from 'vitest';
import { sleep, VirtualClock } from '../../../src/base/index.ts';

describe('VirtualClock', () => {
  it('fires timers in order of time, then of creation', async () => {
    const clock = new VirtualClock(1000);
    const fired: string[] = [];
    clock.timer(20, () => fired.push(`late at ${clock.now()}`));
    clock.timer(10, () => fired.push(`first at ${clock.now()}`));
    clock.timer(10, () => fired.push(`second at ${clock.now()}`));
    clock.timer(5, () => fired.push('cancelled')).cancel();
    await clock.advance(15);
    expect(fired).toEqual(['first at 1010', 'second at 1010']);
    expect(clock.now()).toBe(1015);
    await clock.advance(5);
    expect(fired).toEqual(['first at 1010', 'second at 1010', 'late at 1020']);
    expect(clock.monotonic()).toBe(20);
  });

  it('runs hours of sleeping work at once', async () => {
    const clock = new VirtualClock(0);
    const work = async () => {
      for (let minute = 0; minute < 600; minute++) await sleep(clock, 60_000);
      return clock.now();
    };
    expect(await clock.run(work())).toBe(36_000_000);
  });

  it('says so when nothing can settle a promise', async () => {
    await expect(new VirtualClock().run(new Promise(() => {}))).rejects.toThrow(/deadlock/);
  });

  it('ends a sleep when its signal aborts', async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    const sleeping = sleep(clock, 1000, controller.signal);
    controller.abort(new Error('enough'));
    await expect(clock.run(sleeping)).rejects.toThrow('enough');
    await expect(sleep(clock, 1, controller.signal)).rejects.toThrow('enough');
  });

  it('keeps its heap in order under any sequence of timers', async () => {
    const clock = new VirtualClock(0);
    const fired: number[] = [];
    for (let n = 0; n < 500; n++) clock.timer((n * 7919) % 503, () => fired.push(clock.now()));
    await clock.advance(503);
    expect(fired).toHaveLength(500);
    expect(fired).toEqual([...fired].sort((left, right) => left - right));
  });
});
