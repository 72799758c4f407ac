import { expect, test } from 'vitest';
import type { Engine } from '../../src/engine/index.ts';
import { Violation } from './history.ts';
import type { Plant } from './machines.ts';
import { simulate } from './world.ts';

const SEEDS = 15;
const MS = 3 * 60_000;

/** A process that acknowledges what is still on its way. */
function acknowledgesEarly(): Plant {
  const early = new Set<PropertyKey>(['insert', 'update', 'delete', 'findAndModify']);
  const hurry = async (answer: Promise<{ durable: Promise<void> }>) => {
    const result = await answer;
    result.durable.catch(() => {});
    return { ...result, durable: Promise.resolve() };
  };
  const plantEngine = (engine: Engine) =>
    new Proxy(engine, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => {
          const answer: unknown = Reflect.apply(member, target, args);
          return early.has(name) ? hurry(answer as Promise<{ durable: Promise<void> }>) : answer;
        };
      },
    });
  return { plantEngine };
}

test.each([
  ['acknowledging before the answer', acknowledgesEarly],
])(`%s is caught within ${SEEDS} seeds`, async (_, plant) => {
  let caught: unknown;
  for (let seed = 1; seed <= SEEDS && !caught; seed++) {
    await simulate({ seed, ms: MS, plant }).catch((error: unknown) => {
      caught = error;
    });
  }
  expect(caught).toBeInstanceOf(Violation);
});
