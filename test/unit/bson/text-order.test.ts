import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TextOrder } from '../../../src/bson/index.ts';

const bySize = (a: string, b: string) => Number(a) - Number(b);
const inOrder = (keys: readonly string[]) => keys.every((key, at) => at === 0 || keys[at - 1]! < key);
const numbers = (count: number, nth: (at: number) => number) => Array.from({ length: count }, (_, at) => nth(at));

describe('labels', () => {
  test('are in order, whatever comes and goes', () => {
    const step = fc.tuple(fc.constantFrom('put', 'take', 'seek'), fc.integer({ min: 0, max: 60 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const order = new TextOrder(bySize);
        const held = new Map<number, { label: string; uses: number }>();
        for (const [kind, number] of steps) {
          const known = held.get(number);
          if (kind === 'put') {
            const label = order.key(String(number));
            order.retain([String(number)]);
            if (known) expect(label).toBe(known.label);
            held.set(number, { label, uses: (known?.uses ?? 0) + 1 });
          } else if (kind === 'take' && known) {
            order.release([[`0${number}`]]);
            if (--known.uses === 0) held.delete(number);
          }
          const place = order.seek.key(String(number));
          for (const [other, { label }] of held) {
            expect([Math.sign(number - other), other]).toEqual([place < label ? -1 : place > label ? 1 : 0, other]);
          }
        }
      }),
    );
  });

  test.each([
    ['rising', numbers(20_000, (at) => at)],
    ['falling', numbers(20_000, (at) => -at)],
    ['two runs in turns', numbers(20_000, (at) => (at % 2) * 1e6 + at)],
    ['two falling runs in turns', numbers(20_000, (at) => (at % 2) * 1e6 - at)],
    ['scattered', numbers(20_000, (at) => (at * 7919) % 20_011)],
  ])('stay short: %s', (_, list) => {
    const order = new TextOrder(bySize);
    for (const number of list) order.key(String(number));
    const keys = [...list].sort((a, b) => a - b).map((number) => order.key(String(number)));
    expect(inOrder(keys)).toBe(true);
    expect(Math.max(...keys.map((key) => key.length))).toBeLessThanOrEqual(24);
  });

  test('of what was never put in are forgotten', () => {
    const order = new TextOrder(bySize);
    const label = order.key('5');
    order.retain(['5']);
    for (let at = 0; at < 2000; at++) order.key(`1${at}`);
    order.tidy();
    expect(order.size).toBe(1);
    expect(order.key('5')).toBe(label);
    order.release(['5']);
    for (let at = 0; at < 2000; at++) order.key(`1${at}`);
    order.tidy();
    expect(order.size).toBe(0);
    for (let at = 0; at < 100; at++) order.seek.key(`1${at}`);
    expect(order.size).toBe(0);
  });
});
