import { describe, expect, test } from 'vitest';
import { BSONRegExp, Decimal128, type Doc, doc, ObjectId } from '../../../src/bson/index.ts';
import { compileProjection } from '../../../src/query/index.ts';
import { context, expectCoded, NOW, show } from './support.ts';

/** The value of an expression on a document, wrapped so that its type shows; `{}` when it is missing. */
function evaluate(expression: unknown, document: object = {}): string {
  const projection = compileProjection(doc({ _id: 0, r: { $ifNull: [{ $literal: null }, expression] } }), { context });
  return show(projection.apply(doc(document)));
}

const decimal = (text: string) => Decimal128.fromString(text);
const ID = new ObjectId('65a000000000000000000001');
/** A document of a result that is a double although it is whole. */
const double = (value: number): Doc => new Map([['r', value]]);
/** An object with a `then`, which must not be written as a literal. */
const named = (...fields: [string, unknown][]): object => Object.fromEntries(fields);
const MISSING = Symbol('missing');

const CASES: [expression: unknown, result: unknown, document?: object][] = [
  // Paths and variables.
  ['$a.b', 1, { a: { b: 1 } }],
  ['$a.b', [1, 2], { a: [{ b: 1 }, { c: 1 }, 5, { b: 2 }] }],
  ['$a.0', [], { a: [1] }],
  ['$a', MISSING],
  ['$$ROOT.a', 5, { a: 5 }],
  ['$$CURRENT.a', 5, { a: 5 }],
  ['$$NOW', NOW],
  ['$$REMOVE', MISSING],
  [{ $literal: '$a' }, '$a'],
  [{ x: '$a', y: '$b' }, { x: 1 }, { a: 1 }],
  [['$a', '$b'], [1, null], { a: 1 }],
  [{ $let: { vars: { v: { $add: ['$a', 1] } }, in: { $multiply: ['$$v', 2] } } }, 6, { a: 2 }],
  // Arithmetic keeps types.
  [{ $add: [1, 2] }, 3],
  [{ $add: [2147483647, 1] }, 2147483648n],
  [{ $add: [1, 2n] }, 3n],
  [{ $add: [1, 0.5] }, 1.5],
  [{ $add: [0.1, 0.2, 0.3] }, 0.6000000000000001],
  [{ $add: [9223372036854775807n, 1] }, double(2 ** 63)],
  [{ $add: [decimal('0.1'), 1] }, decimal('1.1')],
  [{ $add: [1, null] }, null],
  [{ $add: [] }, 0],
  [{ $add: [new Date(1000), 500] }, new Date(1500)],
  [{ $subtract: [5, 7n] }, -2n],
  [{ $subtract: [new Date(1500), new Date(1000)] }, 500n],
  [{ $subtract: [new Date(1500), 500] }, new Date(1000)],
  [{ $multiply: [3, 4] }, 12],
  [{ $multiply: [2147483647, 2] }, 4294967294n],
  [{ $divide: [6, 3] }, double(2)],
  [{ $divide: [decimal('1'), 3] }, decimal('0.3333333333333333333333333333333333')],
  [{ $mod: [7, 3] }, 1],
  [{ $mod: [-7n, 3] }, -1n],
  [{ $mod: [7.5, 2] }, 1.5],
  [{ $abs: -5 }, 5],
  [{ $abs: -2147483648 }, 2147483648n],
  [{ $ceil: 1.2 }, double(2)],
  [{ $floor: decimal('-1.5') }, decimal('-2')],
  [{ $round: [2.5] }, double(2)],
  [{ $round: [1234.5678, 2] }, 1234.57],
  [{ $round: [1250, -2] }, 1200],
  [{ $trunc: [-1.9] }, double(-1)],
  [{ $pow: [2, 10] }, 1024],
  [{ $pow: [2, 40] }, 1099511627776n],
  [{ $pow: [2, -1] }, 0.5],
  [{ $sqrt: 16 }, double(4)],
  [{ $bitAnd: [12, 10n] }, 8n],
  [{ $bitNot: 5 }, -6],
  // Comparison, logic, conditions.
  [{ $eq: [1, 1n] }, true],
  [{ $eq: ['$a', null] }, false],
  [{ $lt: ['$a', null] }, true],
  [{ $gt: ['x', 5] }, true],
  [{ $cmp: [ID, 'x'] }, 1],
  [{ $and: [1, 'x', true] }, true],
  [{ $and: [] }, true],
  [{ $or: [0, null, '$a'] }, false],
  [{ $not: [0] }, true],
  [{ $cond: [{ $gt: ['$a', 1] }, 'yes', 'no'] }, 'yes', { a: 2 }],
  [{ $cond: named(['if', false], ['then', 1], ['else', '$a']) }, MISSING],
  [{ $ifNull: ['$a', null, 5n] }, 5n],
  [
    { $switch: { branches: [named(['case', { $eq: ['$a', 1] }], ['then', 'one'])], default: 'many' } },
    'many',
    { a: 2 },
  ],
  // Arrays.
  [{ $size: '$a' }, 2, { a: [1, 2] }],
  [{ $arrayElemAt: [[1, 2, 3], -1] }, 3],
  [{ $arrayElemAt: [[1], 5] }, MISSING],
  [{ $first: '$a' }, 1, { a: [1, 2] }],
  [{ $in: [2, [1, 2n]] }, true],
  [{ $indexOfArray: [[1, 2, 3], 3] }, 2],
  [{ $concatArrays: [[1], [2, 3]] }, [1, 2, 3]],
  [{ $reverseArray: [[1, 2]] }, [2, 1]],
  [{ $slice: [[1, 2, 3, 4], 1, 2] }, [2, 3]],
  [{ $slice: [[1, 2, 3, 4], -2] }, [3, 4]],
  [{ $range: [0, 10, 4] }, [0, 4, 8]],
  [{ $range: [3, 0, -1] }, [3, 2, 1]],
  [{ $map: { input: '$a', as: 'x', in: { $add: ['$$x', '$b'] } } }, [11, 12], { a: [1, 2], b: 10 }],
  [{ $filter: { input: [1, 2, 3], cond: { $gte: ['$$this', 2] }, limit: 1 } }, [2]],
  [{ $reduce: { input: [1, 2, 3], initialValue: 0, in: { $add: ['$$value', '$$this'] } } }, 6],
  [{ $sortArray: { input: [3, 'a', 1, null], sortBy: 1 } }, [null, 1, 3, 'a']],
  [{ $sortArray: { input: [{ a: 2 }, { a: 1 }], sortBy: { a: 1 } } }, [{ a: 1 }, { a: 2 }]],
  [
    { $zip: { inputs: [[1, 2], ['a']], useLongestLength: true, defaults: [0, 'z'] } },
    [
      [1, 'a'],
      [2, 'z'],
    ],
  ],
  [{ $firstN: { n: 2, input: [1, 2, 3] } }, [1, 2]],
  [{ $maxN: { n: 2, input: [1, 5, 3, null] } }, [5, 3]],
  [{ $isArray: [[1]] }, true],
  // Objects and sets.
  [{ $mergeObjects: [{ a: 1, b: 2 }, null, { b: 3 }] }, { a: 1, b: 3 }],
  [{ $objectToArray: { a: 1 } }, [{ k: 'a', v: 1 }]],
  [
    {
      $arrayToObject: [
        [
          ['a', 1],
          ['b', 2n],
        ],
      ],
    },
    { a: 1, b: 2n },
  ],
  [{ $getField: 'a.b' }, 7, { 'a.b': 7 }],
  [{ $setField: { field: 'k', input: '$$ROOT', value: 1 } }, { a: 5, k: 1 }, { a: 5, k: 0 }],
  [
    {
      $setUnion: [
        [2, 1],
        [1n, 3],
      ],
    },
    [1, 2, 3],
  ],
  [
    {
      $setIntersection: [
        [1, 2, 3],
        [3, 2],
      ],
    },
    [2, 3],
  ],
  [{ $setDifference: [[1, 2, 1], [2]] }, [1]],
  [
    {
      $setEquals: [
        [1, 2],
        [2, 1, 1],
      ],
    },
    true,
  ],
  [{ $setIsSubset: [[1], [1, 2]] }, true],
  [{ $anyElementTrue: [[0, 1]] }, true],
  [{ $allElementsTrue: [[0, 1]] }, false],
  // Strings.
  [{ $concat: ['a', '$x', 'b'] }, 'ayb', { x: 'y' }],
  [{ $concat: ['a', '$x'] }, null],
  [{ $toUpper: 'aé' }, 'Aé'],
  [{ $toLower: '$x' }, ''],
  [{ $substrBytes: ['héllo', 0, 3] }, 'hé'],
  [{ $substrCP: ['h\u{1f600}llo', 1, 2] }, '\u{1f600}l'],
  [{ $strLenBytes: 'é' }, 2],
  [{ $strLenCP: '\u{1f600}' }, 1],
  [{ $split: ['a-b-c', '-'] }, ['a', 'b', 'c']],
  [{ $indexOfCP: ['\u{1f600}b', 'b'] }, 1],
  [{ $indexOfBytes: ['éb', 'b'] }, 2],
  [{ $trim: { input: '  a \n' } }, 'a'],
  [{ $ltrim: { input: 'xxa', chars: 'x' } }, 'a'],
  [{ $replaceAll: { input: 'a.a', find: 'a', replacement: { $literal: '$&' } } }, '$&.$&'],
  [{ $replaceOne: { input: 'aa', find: 'a', replacement: 'b' } }, 'ba'],
  [{ $regexMatch: { input: 'ABC', regex: 'b', options: 'i' } }, true],
  [{ $regexFind: { input: '\u{1f600}ab', regex: '(b)(c)?' } }, { match: 'b', idx: 2, captures: ['b', null] }],
  [
    { $regexFindAll: { input: 'aba', regex: new BSONRegExp('a') } },
    [
      { match: 'a', idx: 0, captures: [] },
      { match: 'a', idx: 2, captures: [] },
    ],
  ],
  [{ $strcasecmp: ['a', 'B'] }, -1],
  // Types.
  [{ $type: '$a' }, 'missing'],
  [{ $type: 1n }, 'long'],
  [{ $isNumber: decimal('1') }, true],
  [{ $toInt: '42' }, 42],
  [{ $toLong: 42 }, 42n],
  [{ $toDouble: 42 }, double(42)],
  [{ $toDecimal: 5.5 }, decimal('5.50000000000000')],
  [{ $toString: 5n }, '5'],
  [{ $toString: ID }, ID.toHexString()],
  [{ $toString: new Date(0) }, '1970-01-01T00:00:00.000Z'],
  [{ $toObjectId: ID.toHexString() }, ID],
  [{ $toDate: '2020-01-02T03:04:05Z' }, new Date(Date.UTC(2020, 0, 2, 3, 4, 5))],
  [{ $toDate: ID }, ID.getTimestamp()],
  [{ $toBool: 'false' }, true],
  [{ $convert: { input: 'x', to: 'int', onError: -1 } }, -1],
  [{ $convert: { input: null, to: 'int', onNull: 7 } }, 7],
  // Summaries.
  [{ $sum: ['$a', 2n] }, 3n, { a: 1 }],
  [{ $sum: '$a' }, 3, { a: [1, 2, 'x'] }],
  [{ $avg: [[1, 2]] }, 1.5],
  [{ $max: [[1, 'x', null]] }, 'x'],
  [{ $min: ['$a', 5] }, 5],
  // Dates.
  [{ $year: NOW }, 2026],
  [{ $dayOfYear: NOW }, 2],
  [{ $dayOfWeek: NOW }, 6],
  [{ $isoWeek: new Date(Date.UTC(2021, 0, 3)) }, 53],
  [{ $isoWeekYear: new Date(Date.UTC(2021, 0, 3)) }, 2020n],
  [{ $week: new Date(Date.UTC(2026, 0, 4)) }, 1],
  [{ $hour: { date: NOW, timezone: '+02:00' } }, 5],
  [{ $dateToString: { date: NOW, format: '%Y-%m-%d' } }, '2026-01-02'],
  [{ $dateAdd: { startDate: NOW, unit: 'day', amount: 1 } }, new Date(NOW.getTime() + 86_400_000)],
  [{ $dateTrunc: { date: NOW, unit: 'day' } }, new Date(Date.UTC(2026, 0, 2))],
  [
    { $dateTrunc: { date: new Date(Date.UTC(2021, 2, 20)), unit: 'week', startOfWeek: 'monday' } },
    new Date(Date.UTC(2021, 2, 15)),
  ],
  [{ $dateDiff: { startDate: new Date(0), endDate: new Date(86_400_000), unit: 'hour' } }, 24n],
  [{ $dateFromParts: { year: 2020, month: 2, day: 3 } }, new Date(Date.UTC(2020, 1, 3))],
];

describe('expressions', () => {
  test.each(CASES)('%o', (expression, result, document) => {
    const expected = result instanceof Map ? result : doc(result === MISSING ? {} : { r: result });
    expect(evaluate(expression, document)).toBe(show(expected));
  });

  const ERRORS: [unknown, string | number, string?][] = [
    [{ $add: ['x', 1] }, 'TypeMismatch', '$add only supports numeric or date types, not string'],
    [{ $subtract: [1, 'x'] }, 'TypeMismatch', "can't $subtract string from int"],
    [{ $divide: [1, 0] }, 'BadValue', "can't $divide by zero"],
    [{ $mod: [1, 0] }, 16610, "can't $mod by zero"],
    [{ $eq: [1] }, 16020, 'Expression $eq takes exactly 2 arguments. 1 were passed in.'],
    [{ $nope: 1 }, 'InvalidPipelineOperator', "Unrecognized expression '$nope'"],
    [{ $add: [1], b: 1 }, 15983],
    ['$$nope', 17276, 'Use of undefined variable: nope'],
    ['$', 16872],
    ['$a.', 40353],
    [{ $size: 5 }, 17124, 'The argument to $size must be an array, but was of type: int'],
    [{ $concat: ['a', 1] }, 16702, '$concat only supports strings, not int'],
    [{ $in: [1, 2] }, 40081, '$in requires an array as a second argument, found: int'],
    [{ $map: { input: 'x', in: 1 } }, 16883, 'input to $map must be an array not string'],
    [{ $filter: { input: 5, cond: 1 } }, 28651, 'input to $filter must be an array not int'],
    [{ $toInt: 'x' }, 'ConversionFailure'],
    [{ $toInt: 2147483648n }, 'ConversionFailure'],
    [{ $toObjectId: 'x' }, 'ConversionFailure'],
    [{ $switch: { branches: [named(['case', false], ['then', 1])] } }, 40069],
    [{ $function: { body: 'x', args: [], lang: 'js' } }, 31264],
    [{ a: { $b: 1 } }, 'InvalidPipelineOperator', "Unrecognized expression '$b'"],
    [{ 'a.b': 1 }, 16412],
  ];
  test.each(ERRORS)('%o is refused as %s', (expression, code, message) => {
    expectCoded(() => evaluate(expression), code, message);
  });
});
