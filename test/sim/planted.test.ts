import { expect, test } from 'vitest';
import { Violation } from './history.ts';
import type { Plant } from './machines.ts';
import { acknowledgesEarly, deletesBeforeDurable, neverRepeatsNonces, reusesNonces } from './plants.ts';
import { simulate } from './world.ts';

/** The slowest plant is caught by the first of these. */
const FIRST = 5;
const SEEDS = 15;
const MS = 3 * 60_000;

test.each<[string, () => Plant, RegExp]>([
  ['acknowledging before the answer', acknowledgesEarly, /is not there|has lost/],
  [
    'removing what is superseded before what supersedes it is durable',
    deletesBeforeDurable,
    /held live documents and is missing|is not there|has lost/,
  ],
  ['giving two commits one nonce', reusesNonces, /is not there|has lost|a count of/],
  ['giving a repeated try a nonce of its own', neverRepeatsNonces, /has a record twice/],
])(`%s is caught within ${SEEDS} seeds`, async (_, plant, found) => {
  let caught: unknown;
  for (let seed = FIRST; seed < FIRST + SEEDS && !caught; seed++) {
    await simulate({ seed, ms: MS, plant }).catch((error: unknown) => {
      caught = error;
    });
  }
  expect(caught).toBeInstanceOf(Violation);
  expect((caught as Violation).message).toMatch(found);
});
