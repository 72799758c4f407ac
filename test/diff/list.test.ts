import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const here = new URL('.', import.meta.url);
const LIST = new URL('../../src/commands/DIFFERENCES.md', import.meta.url);

test('every known difference has one test, and every test a difference', () => {
  const entries = [...readFileSync(LIST, 'utf8').matchAll(/^(\d+)\. /gm)].map((entry) => Number(entry[1]));
  // A number is never used again: where an entry was, there is a gap.
  expect(entries).toEqual([...new Set(entries)].sort((left, right) => left - right));
  const files = readdirSync(here).filter((name) => name.endsWith('.test.ts') && name !== 'list.test.ts');
  const tested = files.map((name) => Number(/^diff_(\d\d)_[a-z_]+\.test\.ts$/.exec(name)?.[1]));
  expect(tested.sort((left, right) => left - right)).toEqual(entries);
});
