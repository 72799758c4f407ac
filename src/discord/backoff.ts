import type { Random } from '../base/index.ts';

const FIRST_MS = 200;
const MAX_MS = 30_000;

/** How long to wait before try number `attempt` (from 1): doubles up to half a minute, the upper half of it left to chance. */
export function backoffMs(random: Random, attempt: number): number {
  const ceiling = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(attempt - 1, 16));
  return ceiling * (0.5 + random.next() / 2);
}
