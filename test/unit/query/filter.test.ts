import { describe, expect, test } from 'vitest';
import {
  Binary,
  BSONRegExp,
  Decimal128,
  decodeOnly,
  doc,
  encode,
  Int32,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from '../../../src/bson/index.ts';
import { compileFilter, fieldPredicates, upsertSeed } from '../../../src/query/index.ts';
import { context, expectCoded, show } from './support.ts';

function matches(filter: object, document: object): boolean {
  const compiled = compileFilter(doc(filter), context);
  const matched = compiled.matches(doc(document));
  // The fields that it names decide.
  const { fields } = compiled;
  if (fields) expect(compiled.matches(decodeOnly(encode(doc(document)), fields))).toBe(matched);
  return matched;
}

const ID = new ObjectId('65a000000000000000000001');
const decimal = (text: string) => Decimal128.fromString(text);
const regex = (pattern: string, options = '') => new BSONRegExp(pattern, options);

/** filter, documents that match, documents that do not. */
const CASES: [filter: object, yes: object[], no: object[]][] = [
  [{}, [{}, { a: 1 }], []],
  [
    { a: 1 },
    [{ a: 1 }, { a: 1.0 }, { a: 1n }, { a: decimal('1.0') }, { a: [3, 1] }],
    [{}, { a: '1' }, { a: [[1]] }, { a: true }],
  ],
  [{ a: 9007199254740993n }, [{ a: 9007199254740993n }], [{ a: 9007199254740992 }, { a: 9007199254740992n }]],
  [{ a: 0.1 }, [{ a: 0.1 }], [{ a: decimal('0.1') }]],
  [{ a: Number.NaN }, [{ a: Number.NaN }, { a: decimal('NaN') }], [{ a: 1 }, {}]],
  [{ a: -0 }, [{ a: 0 }, { a: 0n }], []],
  [{ a: null }, [{}, { a: null }, { a: [1, null] }], [{ a: 0 }, { a: [] }, { a: false }]],
  [
    { 'a.b': null },
    [{}, { a: 1 }, { a: {} }, { a: { b: null } }, { a: [{}] }, { a: [{ b: 1 }, {}] }],
    [{ a: [] }, { a: [1, 2] }, { a: { b: 1 } }, { a: [{ b: 1 }] }],
  ],
  [{ a: { $ne: null } }, [{ a: 1 }, { a: [] }], [{}, { a: null }, { a: [null] }]],
  [{ a: ID }, [{ a: ID }, { a: [ID] }], [{ a: ID.toHexString() }]],
  [{ a: new Date(5) }, [{ a: new Date(5) }], [{ a: 5 }, { a: new Timestamp({ t: 0, i: 5 }) }]],
  [
    { a: new Binary(new Uint8Array([1]), 0) },
    [{ a: new Binary(new Uint8Array([1]), 0) }],
    [{ a: new Binary(new Uint8Array([1]), 5) }, { a: new Binary(new Uint8Array([2]), 0) }],
  ],
  [{ a: [1, 2] }, [{ a: [1, 2] }, { a: [[1, 2], 5] }, { a: [1.0, 2n] }], [{ a: [2, 1] }, { a: [1, 2, 3] }, { a: 1 }]],
  [{ a: { b: 1, c: 2 } }, [{ a: { b: 1, c: 2 } }, { a: [{ b: 1, c: 2 }] }], [{ a: { c: 2, b: 1 } }, { a: { b: 1 } }]],
  [
    { 'a.b': 1 },
    [{ a: { b: 1 } }, { a: [{ b: 1 }] }, { a: [{ b: [2, 1] }] }],
    [{ a: 1 }, { a: [[{ b: 1 }]] }, { 'a.b': 1 }],
  ],
  [{ 'a.0': 1 }, [{ a: [1, 2] }, { a: { 0: 1 } }, { a: [{ 0: 1 }] }], [{ a: [2, 1] }, { a: [[1]] }]],
  [{ 'a.1.b': 4 }, [{ a: [5, { b: 4 }] }, { a: [5, [{ b: 4 }]] }, { a: { 1: { b: 4 } } }], [{ a: [{ b: 4 }, 5] }]],
  [{ 'a.0.1': 7 }, [{ a: [[6, 7]] }], [{ a: [[7, 6]] }, { a: [6, 7] }]],
  [
    { a: { $gt: 5 } },
    [{ a: 6 }, { a: 5.5 }, { a: 6n }, { a: [1, 9] }],
    [{ a: 5 }, { a: '6' }, { a: null }, {}, { a: new Date(9) }, { a: Number.NaN }],
  ],
  [{ a: { $gte: null } }, [{}, { a: null }], [{ a: 1 }]],
  [{ a: { $gt: null } }, [], [{}, { a: null }, { a: 1 }]],
  [{ a: { $lte: Number.NaN } }, [{ a: Number.NaN }], [{ a: 1 }]],
  [{ a: { $lt: 'b' } }, [{ a: 'a' }, { a: 'B' }], [{ a: 'b' }, { a: 1 }]],
  [{ a: { $gt: new MinKey() } }, [{ a: 1 }, { a: 'x' }, {}], [{ a: new MinKey() }]],
  [{ a: { $lt: new MaxKey() } }, [{ a: 1 }, { a: { b: 1 } }], [{ a: new MaxKey() }]],
  [{ a: { $gt: [1, 2] } }, [{ a: [1, 3] }, { a: [2] }], [{ a: [1, 2] }, { a: 5 }]],
  [{ a: { $gt: { b: 1 } } }, [{ a: { b: 2 } }], [{ a: { b: 1 } }, { a: 3 }]],
  [{ a: { $gt: 1, $lt: 3 } }, [{ a: 2 }, { a: [0, 5] }], [{ a: 3 }, { a: [4] }]],
  [
    { a: { $in: [1, 'x', null, regex('^f')] } },
    [{ a: 1n }, { a: 'x' }, {}, { a: 'foo' }, { a: ['z', 1] }],
    [{ a: 'y' }, { a: 2 }],
  ],
  [{ a: { $in: [[1, 2]] } }, [{ a: [1, 2] }, { a: [[1, 2]] }], [{ a: [1] }]],
  [{ a: { $in: [] } }, [], [{}, { a: 1 }]],
  [{ a: { $nin: [1, null] } }, [{ a: 2 }, { a: [2] }], [{}, { a: 1 }, { a: [2, 1] }]],
  [{ a: { $ne: 1 } }, [{}, { a: 2 }, { a: [2] }], [{ a: 1 }, { a: [2, 1] }]],
  [{ $and: [{ a: 1 }, { b: 2 }] }, [{ a: 1, b: 2 }], [{ a: 1 }, { b: 2 }]],
  [{ $or: [{ a: 1 }, { b: 2 }] }, [{ a: 1 }, { b: 2 }], [{ a: 2 }]],
  [{ $nor: [{ a: 1 }, { b: 2 }] }, [{ a: 2 }, {}], [{ a: 1 }, { b: 2 }]],
  [{ a: { $not: { $gt: 1 } } }, [{ a: 1 }, {}, { a: 'x' }], [{ a: 2 }, { a: [0, 2] }]],
  [{ a: { $not: regex('^x') } }, [{ a: 'yx' }, { a: 1 }, {}], [{ a: 'xy' }]],
  [{ a: { $exists: true } }, [{ a: null }, { a: [] }], [{}]],
  [{ a: { $exists: 0 } }, [{}], [{ a: null }]],
  [{ 'a.b': { $exists: true } }, [{ a: [{}, { b: null }] }], [{ a: [1] }, { a: [] }]],
  [
    { a: { $type: 'number' } },
    [{ a: 1 }, { a: 1.5 }, { a: 1n }, { a: decimal('1') }, { a: ['x', 1] }],
    [{ a: 'x' }, {}, { a: null }],
  ],
  [{ a: { $type: ['string', 4] } }, [{ a: 'x' }, { a: [] }], [{ a: 1 }]],
  [{ a: { $type: 'int' } }, [{ a: 1 }], [{ a: 1.5 }, { a: 1n }]],
  [{ a: { $type: -1 } }, [{ a: new MinKey() }], [{ a: 1 }]],
  [
    { a: { $mod: [4, 1] } },
    [{ a: 5 }, { a: 5n }, { a: 5.9 }, { a: [2, 9] }],
    [{ a: 4 }, { a: -5 }, { a: '5' }, { a: Number.POSITIVE_INFINITY }],
  ],
  [{ a: { $size: 2 } }, [{ a: [1, 2] }, { a: [[], []] }], [{ a: [1] }, { a: 2 }, {}]],
  [{ a: { $size: 2n } }, [{ a: [1, 2] }], [{ a: [] }]],
  [{ a: { $all: [1, 2] } }, [{ a: [2, 1, 3] }], [{ a: [1] }, { a: 1 }]],
  [{ a: { $all: [1] } }, [{ a: 1 }, { a: [1] }], [{ a: 2 }]],
  [{ a: { $all: [] } }, [], [{ a: [] }, {}]],
  [{ a: { $all: [[1, 2]] } }, [{ a: [1, 2] }, { a: [[1, 2]] }], [{ a: [2, 1] }]],
  [
    { a: { $all: [{ $elemMatch: { b: 1 } }, { $elemMatch: { c: 2 } }] } },
    [{ a: [{ b: 1 }, { c: 2 }] }],
    [{ a: [{ b: 1 }] }],
  ],
  [{ a: { $elemMatch: { $gt: 1, $lt: 3 } } }, [{ a: [0, 2] }], [{ a: [0, 5] }, { a: 2 }, { a: [[2]] }]],
  [
    { a: { $elemMatch: { b: 1, c: 2 } } },
    [{ a: [{ b: 1, c: 2 }] }],
    [{ a: [{ b: 1 }, { c: 2 }] }, { a: { b: 1, c: 2 } }],
  ],
  [{ a: { $elemMatch: { $or: [{ b: 1 }, { b: 2 }] } } }, [{ a: [{ b: 2 }] }], [{ a: [{ b: 3 }] }]],
  [{ a: { $elemMatch: { $ne: 1 } } }, [{ a: [1, 2] }], [{ a: [1] }, { a: [] }]],
  [{ a: { $elemMatch: { 0: 5 } } }, [{ a: [[5]] }], [{ a: [5] }]],
  [
    { a: { $bitsAllSet: [1, 5] } },
    [{ a: 34 }, { a: 255n }, { a: new Binary(new Uint8Array([34]), 0) }, { a: -1 }],
    [{ a: 2 }, { a: 34.5 }, { a: 'x' }],
  ],
  [{ a: { $bitsAnyClear: 3 } }, [{ a: 1 }], [{ a: 3 }]],
  [{ a: { $bitsAllClear: new Binary(new Uint8Array([3]), 0) } }, [{ a: 4 }], [{ a: 5 }]],
  [{ a: { $bitsAnySet: [200] } }, [{ a: -1 }], [{ a: 1 }]],
  [{ a: regex('^ab', 'i') }, [{ a: 'ABc' }, { a: ['x', 'ab'] }, { a: regex('^ab', 'i') }], [{ a: 'xab' }, { a: 1 }]],
  [{ a: { $regex: 'b$' } }, [{ a: 'ab' }, { a: 'ab\n' }], [{ a: 'ab\nc' }]],
  [{ a: { $regex: 'b$', $options: 'm' } }, [{ a: 'ab\nc' }], [{ a: 'abc' }]],
  [{ a: { $regex: 'a.b' } }, [{ a: 'a\rb' }], [{ a: 'a\nb' }]],
  [{ a: { $regex: 'a.b', $options: 's' } }, [{ a: 'a\nb' }], [{ a: 'ab' }]],
  [{ a: { $regex: 'a b # c', $options: 'x' } }, [{ a: 'xaby' }], [{ a: 'a b' }]],
  [{ a: { $regex: '(?i)AB[[:digit:]]\\-' } }, [{ a: 'ab1-' }], [{ a: 'abx-' }]],
  [{ a: { $eq: { $ref: 'c', $id: 1 } } }, [{ a: { $ref: 'c', $id: 1 } }], [{ a: 1 }]],
  [{ $expr: { $gt: ['$a', '$b'] } }, [{ a: 2, b: 1 }], [{ a: 1, b: 2 }]],
  [{ $comment: 'x', a: 1 }, [{ a: 1 }], [{ a: 2 }]],
];

describe('filters', () => {
  test.each(CASES.map((row) => [show(doc({ f: row[0] })), ...row] as const))('%s', (_, filter, yes, no) => {
    for (const document of yes) expect(matches(filter, document), `should match ${show(doc(document))}`).toBe(true);
    for (const document of no) expect(matches(filter, document), `should not match ${show(doc(document))}`).toBe(false);
  });

  test('undefined is not null, in equality', () => {
    const stored = new Map([['a', undefined]]);
    expect(compileFilter(doc({ a: null }), context).matches(stored)).toBe(false);
    expect(compileFilter(doc({ a: { $type: 'undefined' } }), context).matches(stored)).toBe(true);
  });

  const ERRORS: [object, string | number, string?][] = [
    [
      { $foo: 1 },
      'BadValue',
      "unknown top level operator: $foo. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.",
    ],
    [{ a: { $foo: 1 } }, 'BadValue', 'unknown operator: $foo'],
    [{ a: { $gt: 1, b: 2 } }, 'BadValue', 'unknown operator: b'],
    [{ a: { $in: 1 } }, 'BadValue', '$in needs an array'],
    [{ a: { $nin: 1 } }, 'BadValue', '$nin needs an array'],
    [{ a: { $in: [{ $gt: 1 }] } }, 'BadValue', 'cannot nest $ under $in'],
    [{ $and: 1 }, 'BadValue', '$and must be an array'],
    [{ $or: [] }, 'BadValue', '$and/$or/$nor must be a nonempty array'],
    [{ $nor: [1] }, 'BadValue', '$or/$and/$nor entries need to be full objects'],
    [{ a: { $not: 1 } }, 'BadValue', '$not needs a regex or a document'],
    [{ a: { $not: {} } }, 'BadValue', '$not cannot be empty'],
    [{ a: { $gt: regex('x') } }, 'BadValue', "Can't have RegEx as arg to predicate over field 'a'."],
    [{ a: { $ne: regex('x') } }, 'BadValue', "Can't have regex as arg to $ne."],
    [{ a: { $mod: 1 } }, 'BadValue', 'malformed mod, needs to be an array'],
    [{ a: { $mod: [] } }, 'BadValue', 'malformed mod, not enough elements'],
    [{ a: { $mod: [1, 2, 3] } }, 'BadValue', 'malformed mod, too many elements'],
    [{ a: { $mod: [0, 1] } }, 'BadValue', 'divisor cannot be 0'],
    [{ a: { $mod: ['x', 1] } }, 'BadValue', 'malformed mod, divisor not a number'],
    [{ a: { $size: -1 } }, 'BadValue', 'Failed to parse $size. Expected a non-negative number in: $size: -1'],
    [{ a: { $size: 'x' } }, 'BadValue', 'Failed to parse $size. Expected a number in: $size: "x"'],
    [{ a: { $type: 'foo' } }, 'BadValue', 'Unknown type name alias: foo'],
    [{ a: { $type: 99 } }, 'BadValue', 'Invalid numerical type code: 99'],
    [{ a: { $type: [] } }, 'FailedToParse', 'a must match at least one type'],
    [{ a: { $all: 1 } }, 'BadValue', '$all needs an array'],
    [{ a: { $all: [{ $elemMatch: {} }, 1] } }, 'BadValue', '$all/$elemMatch has to be consistent'],
    [{ a: { $all: [{ $gt: 1 }] } }, 'BadValue', 'no $ expressions in $all'],
    [{ a: { $elemMatch: 1 } }, 'BadValue', '$elemMatch needs an Object'],
    [{ a: { $elemMatch: { $expr: true } } }, 'BadValue', '$expr can only be applied to the top-level document'],
    [{ a: { $regex: 1 } }, 'BadValue', '$regex has to be a string'],
    [{ a: { $options: 'i' } }, 'BadValue', '$options needs a $regex'],
    [{ a: { $regex: regex('x', 'i'), $options: 'm' } }, 51075, 'options set in both $regex and $options'],
    [{ a: { $regex: '(' } }, 51091],
    [{ a: { $regex: 'x', $options: 'q' } }, 51108, ' invalid flag in regex options: q'],
    [
      { a: { $bitsAllSet: [-1] } },
      'BadValue',
      'Failed to parse bit position. Expected a non-negative number in: 0: -1',
    ],
    [{ a: { $bitsAllSet: -1 } }, 'FailedToParse'],
    [{ a: { $bitsAllSet: 'x' } }, 'BadValue'],
    [{ $where: 'x' }, 6108304],
    [{ $text: { $search: 'x' } }, 'BadValue', '$text is not allowed in this context'],
    [{ $or: [{ a: { $near: [1, 2] } }], $nor: [{ b: { $near: [1, 2] } }] }, 'BadValue', 'Too many geoNear expressions'],
    [{ $expr: { $nope: 1 } }, 'InvalidPipelineOperator', "Unrecognized expression '$nope'"],
  ];
  test.each(
    ERRORS.map((row) => [show(doc({ f: row[0] })), ...row] as const),
  )('%s is refused', (_, filter, code, message) => {
    expectCoded(() => matches(filter, {}), code, message);
  });

  test('positional is the index of the outermost array that was taken apart', () => {
    const positional = (filter: object, document: object) => {
      const compiled = compileFilter(doc(filter), context);
      return compiled.matches(doc(document)) ? compiled.positional(doc(document)) : 'no match';
    };
    expect(positional({ a: 3 }, { a: [1, 2, 3] })).toBe(2);
    expect(positional({ 'a.b': 3 }, { a: [{ b: 1 }, { b: [2, 3] }] })).toBe(1);
    expect(positional({ a: { $elemMatch: { b: 3 } } }, { a: [{ b: 1 }, { b: 3 }] })).toBe(1);
    expect(positional({ a: 3 }, { a: 3 })).toBeUndefined();
    expect(positional({ a: { $ne: 3 } }, { a: [1, 2] })).toBeUndefined();
  });
});

test('fieldPredicates gives only what every match must meet', () => {
  const bounds = (filter: object) => Object.fromEntries(fieldPredicates(doc(filter)));
  expect(bounds({ a: 1, b: { $gt: 2, $lte: 5 }, $and: [{ c: { $in: [3, 1, 1] } }] })).toEqual({
    a: { eq: new Int32(1) },
    b: { lower: { value: new Int32(2), inclusive: false }, upper: { value: new Int32(5), inclusive: true } },
    c: { in: [new Int32(1), new Int32(3)] },
  });
  expect(bounds({ a: { $in: ['x'] } })).toEqual({ a: { eq: 'x' } });
  const unbounded = [
    { a: null },
    { a: regex('x') },
    { a: [1] },
    { a: { $in: [1, null] } },
    { a: { $in: [regex('x')] } },
    { a: { $not: { $gt: 1 } } },
    { a: { $ne: 1 } },
    { a: { $gt: Number.NaN } },
    { a: { $gt: new MinKey() } },
    { 'a.0': 1 },
    { $or: [{ a: 1 }, { a: 2 }] },
    { $nor: [{ a: 1 }] },
    { a: { $elemMatch: { $gt: 1 } } },
  ];
  for (const filter of unbounded) expect(bounds(filter)).toEqual({});
});

describe('upsertSeed', () => {
  const seed = (filter: object, only?: string) => show(upsertSeed(doc(filter), only));
  test('takes the equalities in order of their paths', () => {
    expect(seed({ b: 1, a: { $eq: 'x' }, c: { $gt: 1 } })).toBe(show(doc({ a: 'x', b: 1 })));
    expect(seed({ $and: [{ 'x.y': 1 }, { 'x.z': { $in: [2] } }], d: { $in: [1, 2] } })).toBe(
      show(doc({ x: { y: 1, z: 2 } })),
    );
    expect(seed({ $or: [{ a: 1 }] })).toBe(show(doc({ a: 1 })));
    expect(seed({ $or: [{ a: 1 }, { b: 1 }], e: regex('x') })).toBe(show(doc({})));
    expect(seed({ _id: 5, a: 1 }, '_id')).toBe(show(doc({ _id: 5 })));
  });
  test('refuses what is fixed twice', () => {
    expectCoded(
      () => seed({ $and: [{ a: 1 }, { a: 2 }] }),
      'NotSingleValueField',
      "cannot infer query fields to set, path 'a' is matched twice",
    );
    expectCoded(
      () => seed({ a: { b: 1 }, 'a.b': 1 }),
      'NotSingleValueField',
      "cannot infer query fields to set, both paths 'a.b' and 'a' are matched",
    );
    expectCoded(() => seed({ '_id.x': 5 }, '_id'), 'NotExactValueField');
  });
});
