import { describe, expect, test } from 'vitest';
import { doc } from '../../../src/bson/index.ts';
import { compileFilter, compileProjection } from '../../../src/query/index.ts';
import { context, expectCoded, show } from './support.ts';

function project(projection: object, document: object, filter?: object): string {
  const options = { context, filter: filter && compileFilter(doc(filter), context) };
  return show(compileProjection(doc(projection), options).apply(doc(document)));
}

const DOC = { _id: 1, a: 1, b: { c: 2, d: 3 }, e: [{ f: 1, g: 2 }, 5, { f: 3 }], n: [1, 2, 3, 4] };

const CASES: [projection: object, result: object, filter?: object][] = [
  [{}, DOC],
  [{ a: 1 }, { _id: 1, a: 1 }],
  [
    { b: true, a: 2.5 },
    { _id: 1, a: 1, b: { c: 2, d: 3 } },
  ],
  [{ a: 1, _id: 0 }, { a: 1 }],
  [{ _id: 1 }, { _id: 1 }],
  [{ _id: 0 }, { a: 1, b: DOC.b, e: DOC.e, n: DOC.n }],
  [
    { e: 0, n: 0 },
    { _id: 1, a: 1, b: DOC.b },
  ],
  [
    { e: 0, n: 0, _id: 1 },
    { _id: 1, a: 1, b: DOC.b },
  ],
  [{ 'b.c': 1 }, { _id: 1, b: { c: 2 } }],
  [{ b: { c: 1 } }, { _id: 1, b: { c: 2 } }],
  [
    { 'b.c': 0, e: 0, n: 0 },
    { _id: 1, a: 1, b: { d: 3 } },
  ],
  [{ 'e.f': 1 }, { _id: 1, e: [{ f: 1 }, { f: 3 }] }],
  [
    { 'e.f': 0, n: 0, b: 0 },
    { _id: 1, a: 1, e: [{ g: 2 }, 5, {}] },
  ],
  [{ 'a.x': 1 }, { _id: 1 }],
  [{ x: '$b.c', _id: 0 }, { x: 2 }],
  [
    { x: 'text', a: 1 },
    { _id: 1, a: 1, x: 'text' },
  ],
  [{ a: { $add: ['$a', 1] } }, { _id: 1, a: 2 }],
  [{ 'b.x': '$a' }, { _id: 1, b: { x: 1 } }],
  [
    { n: { $slice: 2 }, e: 0, b: 0 },
    { _id: 1, a: 1, n: [1, 2] },
  ],
  [
    { n: { $slice: -1 }, a: 1 },
    { _id: 1, a: 1, n: [4] },
  ],
  [
    { n: { $slice: [1, 2] }, _id: 1 },
    { _id: 1, n: [2, 3] },
  ],
  [
    { n: { $slice: [-3, 2] }, _id: 1 },
    { _id: 1, n: [2, 3] },
  ],
  [{ n: { $slice: ['$n', 1] } }, { _id: 1, n: [1] }],
  [{ e: { $elemMatch: { f: 3 } } }, { _id: 1, e: [{ f: 3 }] }],
  [
    { n: { $elemMatch: { $gt: 2 } }, a: 1 },
    { _id: 1, a: 1, n: [3] },
  ],
  [{ n: { $elemMatch: { $gt: 9 } } }, { _id: 1 }],
  // An exclusion leaves the field where it stood.
  [
    { e: { $elemMatch: { f: 3 } }, a: 0, _id: 0 },
    { b: DOC.b, e: [{ f: 3 }], n: DOC.n },
  ],
  [{ 'n.$': 1 }, { _id: 1, n: [3] }, { n: { $gte: 3 } }],
  [{ 'e.$': 1, a: 1 }, { _id: 1, a: 1, e: [{ f: 3 }] }, { 'e.f': 3 }],
];

describe('projections of find', () => {
  test.each(CASES)('%j', (projection, result, filter) => {
    expect(project(projection, DOC, filter)).toBe(show(doc(result)));
  });

  const ERRORS: [object, string | number, (string | undefined)?, object?][] = [
    [{ a: 1, b: 0 }, 31254, 'Cannot do exclusion on field b in inclusion projection'],
    [{ a: 0, b: 1 }, 31253, 'Cannot do inclusion on field b in exclusion projection'],
    [{ a: 1, 'a.b': 1 }, 31249, 'Path collision at a.b remaining portion b'],
    [{ 'a.b': 1, a: 1 }, 31250, 'Path collision at a'],
    [{ a: 0, b: { $add: [1, 2] } }, 31252, 'Cannot use expression other than $meta in exclusion projection'],
    [{ a: 0, b: 'x' }, 31310, 'Cannot use an expression b: "x" in an exclusion projection'],
    [{ a: {} }, 51270],
    [{ 'a.': 1 }, 40353],
    [{ 'a..b': 1 }, 15998],
    [{ $a: 1 }, 16410],
    [{ a: { $nope: 1 } }, 31325, 'Unknown expression $nope'],
    [{ a: { $elemMatch: 1 } }, 31274, 'elemMatch: Invalid argument, object required, but got int'],
    [{ 'a.b': { $elemMatch: { c: 1 } } }, 31275, 'Cannot use $elemMatch projection on a nested field.'],
    [{ 'n.$': 1 }, 51050, 'Projections with a positional operator require a matcher'],
    [{ 'n.$': 1, 'e.$': 1 }, 31276, undefined, { n: 1, 'e.f': 1 }],
    [{ 'n.$': 1, e: { $elemMatch: { f: 1 } } }, 31255, undefined, { n: 1 }],
    [{ 'n.$': { $add: [1] } }, 31271, undefined, { n: 1 }],
    [{ 'n.$': 1 }, 51246, undefined, { n: { $size: 4 } }],
    [{ 'n.$': 1 }, 'QueryFeatureNotAllowed', '$expr is not allowed in this context', { n: 1, $expr: true }],
    [
      { e: { $elemMatch: { $jsonSchema: {} } } },
      'QueryFeatureNotAllowed',
      '$jsonSchema is not allowed in this context',
    ],
  ];
  test.each(ERRORS)('%j is refused as %s', (projection, code, message, filter) => {
    expectCoded(() => project(projection, DOC, filter), code, message);
  });
});
