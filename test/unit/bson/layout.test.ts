import { expect, test } from 'vitest';
import { doc, encode, keptDoc } from '../../../src/bson/index.ts';
import { layoutOf, MAX_BRANCHES, MAX_FIELDS, MAX_LAYOUTS } from '../../../src/bson/layout.ts';
import { compileFilter } from '../../../src/query/index.ts';
import { context } from '../query/support.ts';

const layout = (document: object) => layoutOf(encode(doc(document)));
const matches = (filter: object, document: object) =>
  compileFilter(doc(filter), context).matches(keptDoc(encode(doc(document))));

test('documents share a layout as far as names and types are the same, and sizes are known', () => {
  const one = layout({ a: 1, b: null, s: 'x', z: 1 });
  expect(layout({ a: 2, b: null, s: 'a longer one', y: true })).toBe(one);
  expect(layout({ a: 2.5, b: null, s: 'x' })).not.toBe(one);
  expect(layout({ A: 1, b: null, s: 'x' })).not.toBe(one);
  expect(layout({ a: 1, b: null })).toBe(layout({ a: 1, b: null }));
  expect(layout({})).toBe(layout({}));
});

test('it tells where the value of each of its fields begins', () => {
  const { start, rest } = layout({ a: 1, n: null, s: 'x', z: 1 });
  // 4 for the length; type, name and NUL before each value: a 3 + 4, n 3 + 0, s 3.
  expect({ start, rest }).toEqual({ start: 17, rest: 14 });
  expect(layout({ a: 1, n: null, s: 'x' }).find('n')?.start).toBe(14);
  expect(layout({ a: 1, n: null, s: 'x', z: 1 }).find('z')).toBeUndefined();
  expect(layout({ a: 1, n: null }).rest).toBe(14);
});

test('a layout takes so many branches, and documents beyond are read without', () => {
  const branches = Array.from({ length: MAX_BRANCHES + 1 }, (_, at) => layout({ branching: 1, [`name${at}`]: at }));
  expect(new Set(branches).size).toBe(MAX_BRANCHES + 1);
  expect(branches.at(-1)).toBe(layout({ branching: 1 }));
  expect(branches.at(-2)).not.toBe(layout({ branching: 1 }));
  for (const at of [0, MAX_BRANCHES - 1, MAX_BRANCHES, MAX_BRANCHES + 1]) {
    const document = { branching: 1, [`name${at}`]: at, last: 5 };
    expect([matches({ [`name${at}`]: at }, document), matches({ last: 5 }, document)]).toEqual([true, true]);
    expect(matches({ [`name${at}`]: at + 1 }, document)).toBe(false);
  }
});

test('a layout has so many fields, and those beyond are walked to', () => {
  const document = Object.fromEntries(Array.from({ length: MAX_FIELDS + 2 }, (_, at) => [`field${at}`, at]));
  expect(layout(document).find(`field${MAX_FIELDS - 1}`)).toBeDefined();
  expect(layout(document).find(`field${MAX_FIELDS}`)).toBeUndefined();
  for (const at of [0, MAX_FIELDS - 1, MAX_FIELDS, MAX_FIELDS + 1]) {
    expect([matches({ [`field${at}`]: at }, document), matches({ [`field${at}`]: -1 }, document)]).toEqual([
      true,
      false,
    ]);
  }
});

test('when all numbers are given, documents of new kinds have the layout of what they begin with', () => {
  const paths = (depth: number): object[] =>
    depth === 0
      ? [{}]
      : paths(depth - 1).flatMap((path) =>
          Array.from({ length: MAX_BRANCHES }, (_, at) => ({ ...path, [`d${depth}n${at}`]: 1 })),
        );
  for (const path of paths(3)) layout({ full: 1, ...path });
  const numbers = paths(3).map((path) => layout({ full: 1, ...path }).number);
  expect(Math.max(...numbers)).toBe(MAX_LAYOUTS - 1);
  expect(layout({ 'a new name': 1 })).toBe(layout({}));
  expect(matches({ 'a new name': 1 }, { 'a new name': 1 })).toBe(true);
});
