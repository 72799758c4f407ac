import { describe, expect, test } from 'vitest';
import { BSONSymbol, Decimal128, doc, Int32, ObjectId } from '../../../src/bson/index.ts';
import { compileFilter } from '../../../src/query/index.ts';
import { context, expectCoded } from './support.ts';

function fits(schema: object, document: object): boolean {
  return compileFilter(doc({ $jsonSchema: schema }), context).matches(doc(document));
}

const decimal = (text: string) => Decimal128.fromString(text);

/** schema of the property `a`, values of it that fit, values that do not. A document without `a` fits all of them. */
const PROPERTY: [schema: object, yes: unknown[], no: unknown[]][] = [
  [{}, [1, null, [], {}], []],
  [{ type: 'number' }, [1, new Int32(1), 1n, decimal('1')], ['1', null, [1], {}]],
  [{ type: ['string', 'null'] }, ['x', null], [1, [null], new BSONSymbol('x')]],
  [{ type: 'object' }, [{}, { b: 1 }], [[], 1]],
  [{ type: 'array' }, [[], [1]], [{}]],
  [{ type: 'boolean' }, [true, false], [0]],
  [{ bsonType: 'int' }, [new Int32(1)], [1.5, 1n]],
  [{ bsonType: ['objectId', 'long'] }, [new ObjectId(), 5n], [new Int32(5), 'x']],
  [{ bsonType: 'number' }, [1, 1n, decimal('1')], ['x']],
  // A keyword says nothing about values of other types.
  [{ minLength: 2 }, ['ab', 'é\u0301', '\u{1f600}\u{1f600}', 1, null, ['a'], new BSONSymbol('x')], ['', '\u{1f600}']],
  [{ maxLength: 1 }, ['', '\u{1f600}', 12], ['ab']],
  [{ pattern: '^a.c$' }, ['abc', 5, ['x']], ['abcd', '']],
  [{ pattern: 'b' }, ['abc'], ['ac', 'aBc']],
  [{ minimum: 3 }, [3, 4n, decimal('3.0'), 'a', [1]], [2, new Int32(2), decimal('2.9'), Number.NaN]],
  [{ minimum: 3, exclusiveMinimum: true }, [3.5], [3, 3n]],
  [{ minimum: 3, exclusiveMinimum: false }, [3], [2]],
  [{ maximum: 3 }, [3, -5n, 'x'], [4, Number.POSITIVE_INFINITY, Number.NaN]],
  [{ maximum: 3, exclusiveMaximum: true }, [2], [3, decimal('3')]],
  [{ multipleOf: 3 }, [9, 0, -3, 6n, decimal('12.0'), 'x'], [1, 3.5, Number.NaN, Number.POSITIVE_INFINITY]],
  [{ multipleOf: 0.1 }, [0.3, 1, decimal('0.7')], [0.35]],
  [{ multipleOf: decimal('0.01') }, [decimal('4.35'), 4.35, 1n], [decimal('4.355'), 0.005]],
  [{ minItems: 1 }, [[1], {}, 'x'], [[]]],
  [{ maxItems: 1 }, [[], [[1, 2]]], [[1, 2]]],
  [{ minItems: 2n, maxItems: 3.0 }, [[1, 2, 3]], [[1], [1, 2, 3, 4]]],
  [
    { uniqueItems: true },
    [[], [1, 2, '1'], [{ x: 1 }, { x: 2 }], [[1], [2]], [null], 'xx'],
    [
      [1, 1n],
      [decimal('1.0'), 1],
      [
        { x: 1, y: 2 },
        { y: 2, x: 1 },
      ],
      [[{ x: 1, y: 2 }], [{ y: 2, x: 1 }]],
    ],
  ],
  [{ uniqueItems: false }, [[1, 1]], []],
  [{ items: { type: 'number' } }, [[], [1, 2n], 'x', { 0: 'x' }], [[1, 'x']]],
  [{ items: [{ type: 'number' }, { type: 'string' }] }, [[], [1], [1, 'x'], [1, 'x', null]], [['x'], [1, 2]]],
  [{ items: [{ type: 'number' }], additionalItems: false }, [[], [1]], [[1, 2], ['x']]],
  [{ items: [{}], additionalItems: { type: 'string' } }, [[1, 'a', 'b']], [[1, 'a', 2]]],
  [{ items: {}, additionalItems: false }, [[1, 2, 3]], []],
  [{ additionalItems: false }, [[1]], []],
  [{ minProperties: 1 }, [{ x: 1 }, [], 5], [{}]],
  [{ maxProperties: 1 }, [{ x: 1 }, {}], [{ x: 1, y: 2 }]],
  [{ required: ['x', 'y'] }, [{ x: 1, y: null }, [], 5], [{ x: 1 }, {}]],
  [{ properties: { x: { type: 'number' } } }, [{}, { x: 1 }, { y: 'a' }, 5, [{ x: 'a' }]], [{ x: 'a' }]],
  [{ properties: { x: { properties: { y: { enum: [1] } } } } }, [{ x: { y: 1 } }, { x: 5 }], [{ x: { y: 2 } }]],
  [{ properties: { x: {} }, additionalProperties: false }, [{}, { x: 1 }], [{ y: 1 }, { x: 1, y: 1 }]],
  [{ additionalProperties: { type: 'string' } }, [{}, { x: 'a' }], [{ x: 1 }]],
  [{ patternProperties: { '^s': { type: 'string' } } }, [{ s: 'a' }, { x: 1 }], [{ st: 1 }]],
  [
    { properties: { n: {} }, patternProperties: { '^s': {}, x$: { type: 'number' } }, additionalProperties: false },
    [{ n: 1, s1: 1, sx: 2 }],
    [{ q: 1 }, { sx: 'a' }],
  ],
  [{ dependencies: { x: ['y', 'z'] } }, [{}, { y: 1 }, { x: 1, y: 1, z: 1 }, 5], [{ x: 1 }, { x: 1, y: 1 }]],
  [{ dependencies: { x: { required: ['y'] } } }, [{}, { x: 1, y: 1 }], [{ x: 1 }]],
  [{ dependencies: { title: 'words', description: 'more' } }, [{ title: 1 }], []],
  [{ allOf: [{ minimum: 1 }, { maximum: 3 }] }, [2, 'x'], [0, 4]],
  [{ anyOf: [{ type: 'string' }, { minimum: 5 }] }, ['x', 6], [4]],
  [{ oneOf: [{ minimum: 1 }, { minimum: 5 }] }, [2], [6, 0, 'x']],
  [{ not: { type: 'string' } }, [1, null], ['x']],
  [{ not: {} }, [], [1]],
  [{ enum: [1, 'x', { p: 1, q: 2 }, [1, 2]] }, [1n, 'x', { q: 2, p: 1 }, [1, 2]], [2, 'X', [2, 1], { p: 1 }, null]],
  [{ enum: [null] }, [null], [0]],
  [{ title: 'T', description: 'D', type: 'string' }, ['x'], [1]],
];

test.each(PROPERTY)('a property of schema %o', (schema, yes, no) => {
  const whole = { properties: { a: schema } };
  for (const a of yes) expect([a, fits(whole, { a })]).toEqual([a, true]);
  for (const a of no) expect([a, fits(whole, { a })]).toEqual([a, false]);
  expect(fits(whole, { b: 1 })).toBe(true);
  expect(fits({ ...whole, required: ['a'] }, { b: 1 })).toBe(false);
});

describe('whole documents', () => {
  test.each([
    [{}, {}, true],
    [{ type: 'object' }, {}, true],
    [{ type: 'string' }, {}, false],
    [{ bsonType: ['object', 'long'] }, { a: 1 }, true],
    [{ not: { type: 'string' } }, {}, true],
    [{ minLength: 5, maximum: 1, minItems: 3, uniqueItems: true, pattern: 'x' }, {}, true],
    [{ minProperties: 2 }, { a: 1 }, false],
    [{ enum: [{ a: 1, b: 2 }] }, { b: 2, a: 1 }, true],
    [{ enum: [5] }, { a: 5 }, false],
    // A name with dots is a path through documents.
    [{ required: ['a.b'] }, { a: { b: 1 } }, true],
    [{ required: ['a.b'] }, { a: {} }, false],
    [{ properties: { 'a.b': { type: 'string' } } }, { a: { b: 1 } }, false],
  ])('%j and %j: %s', (schema, document, matched) => {
    expect(fits(schema, document)).toBe(matched);
  });

  test('beside other conditions, and under $nor', () => {
    const filter = { $nor: [{ $jsonSchema: { required: ['a'] } }], b: 1 };
    const { matches } = compileFilter(doc(filter), context);
    expect([{ b: 1 }, { a: 1, b: 1 }, {}].map((document) => matches(doc(document)))).toEqual([true, false, false]);
  });
});

const REFUSED: [schema: unknown, code: string, message: string][] = [
  ['x', 'TypeMismatch', '$jsonSchema must be an object'],
  [[], 'TypeMismatch', '$jsonSchema must be an object'],
  [{ nope: 1 }, 'FailedToParse', 'Unknown $jsonSchema keyword: nope'],
  ...['$ref', '$schema', 'default', 'definitions', 'format', 'id'].map((name): [object, string, string] => [
    { [name]: 'x' },
    'FailedToParse',
    `$jsonSchema keyword '${name}' is not currently supported`,
  ]),
  [{ title: 1 }, 'TypeMismatch', "$jsonSchema keyword 'title' must be of type string"],
  [{ description: 1 }, 'TypeMismatch', "$jsonSchema keyword 'description' must be of type string"],
  [
    { type: 'object', bsonType: 'object' },
    'FailedToParse',
    "Cannot specify both $jsonSchema keywords 'type' and 'bsonType'",
  ],
  [{ type: 1 }, 'TypeMismatch', "$jsonSchema keyword 'type' must be either a string or an array of strings"],
  [{ bsonType: [1] }, 'TypeMismatch', "$jsonSchema keyword 'bsonType' array elements must be strings"],
  [{ type: [] }, 'FailedToParse', "$jsonSchema keyword 'type' must name at least one type"],
  [{ type: 'integer' }, 'FailedToParse', "$jsonSchema type 'integer' is not currently supported."],
  [{ type: ['string', 'string'] }, 'FailedToParse', "$jsonSchema keyword 'type' has duplicate value: string"],
  [{ type: 'int' }, 'BadValue', 'Unknown type name alias: int'],
  [{ bsonType: 'boolean' }, 'BadValue', 'Unknown type name alias: boolean'],
  [{ pattern: 1 }, 'TypeMismatch', "$jsonSchema keyword 'pattern' must be a string"],
  [{ minLength: 'x' }, 'FailedToParse', 'Expected a number in: minLength: "x"'],
  [{ maxLength: -1 }, 'FailedToParse', 'Expected a non-negative number in: maxLength: -1'],
  [{ minItems: 1.5 }, 'FailedToParse', 'Expected an integer: minItems: 1.5'],
  [{ maxItems: 1e20 }, 'FailedToParse', 'Cannot represent as a 64-bit integer: maxItems: 1e+20.0'],
  [{ maxProperties: decimal('1.5') }, 'FailedToParse', 'Cannot represent as a 64-bit integer: maxProperties: 1.5'],
  [{ multipleOf: 'x' }, 'TypeMismatch', "$jsonSchema keyword 'multipleOf' must be a number"],
  [{ multipleOf: 0 }, 'FailedToParse', "$jsonSchema keyword 'multipleOf' must have a positive value"],
  [{ multipleOf: decimal('-1') }, 'FailedToParse', "$jsonSchema keyword 'multipleOf' must have a positive value"],
  [{ maximum: '1' }, 'TypeMismatch', "$jsonSchema keyword 'maximum' must be a number"],
  [{ maximum: 1, exclusiveMaximum: 1 }, 'TypeMismatch', "$jsonSchema keyword 'exclusiveMaximum' must be a boolean"],
  [
    { exclusiveMinimum: true },
    'FailedToParse',
    "$jsonSchema keyword 'minimum' must be a present if exclusiveMinimum is present",
  ],
  [{ uniqueItems: 1 }, 'TypeMismatch', "$jsonSchema keyword 'uniqueItems' must be a boolean"],
  [{ items: 'x' }, 'TypeMismatch', "$jsonSchema keyword 'items' must be an array or an object, not string"],
  [
    { items: [1] },
    'TypeMismatch',
    "$jsonSchema keyword 'items' requires that each element of the array is an object, but found a int",
  ],
  [
    { additionalItems: 'x' },
    'TypeMismatch',
    "$jsonSchema keyword 'additionalItems' must be either an object or a boolean, but got a string",
  ],
  [{ encrypt: {} }, 'QueryFeatureNotAllowed', 'Encryption-related validator keywords are not allowed in this context'],
  [
    { required: 'x' },
    'TypeMismatch',
    "$jsonSchema keyword 'required' must be an array, but found an element of type string",
  ],
  [{ required: [] }, 'FailedToParse', "$jsonSchema keyword 'required' cannot be an empty array"],
  [
    { required: [null] },
    'TypeMismatch',
    "$jsonSchema keyword 'required' must be an array of strings, but found an element of type: null",
  ],
  [{ required: ['x', 'x'] }, 'FailedToParse', "$jsonSchema keyword 'required' array cannot contain duplicate values"],
  [{ properties: [] }, 'TypeMismatch', "$jsonSchema keyword 'properties' must be an object"],
  [{ properties: { a: 1 } }, 'TypeMismatch', "Nested schema for $jsonSchema property 'a' must be an object"],
  [{ properties: { a: { nope: 1 } } }, 'FailedToParse', 'Unknown $jsonSchema keyword: nope'],
  [{ patternProperties: 1 }, 'TypeMismatch', "$jsonSchema keyword 'patternProperties' must be an object"],
  [
    { patternProperties: { a: 1 } },
    'TypeMismatch',
    "$jsonSchema keyword 'patternProperties' has property 'a' which is not an object",
  ],
  [
    { additionalProperties: 1 },
    'TypeMismatch',
    "$jsonSchema keyword 'additionalProperties' must be an object or a boolean",
  ],
  [{ dependencies: [] }, 'TypeMismatch', "$jsonSchema keyword 'dependencies' must be an object"],
  [
    { dependencies: { a: 'x' } },
    'TypeMismatch',
    "property 'a' in $jsonSchema keyword 'dependencies' must be either an object or an array",
  ],
  [
    { dependencies: { a: [] } },
    'FailedToParse',
    "property 'a' in $jsonSchema keyword 'dependencies' cannot be an empty array",
  ],
  [
    { dependencies: { a: [true] } },
    'TypeMismatch',
    "array 'a' in $jsonSchema keyword 'dependencies' can only contain strings, but found element of type: bool",
  ],
  [
    { dependencies: { a: ['x', 'x'] } },
    'FailedToParse',
    "array 'a' in $jsonSchema keyword 'dependencies' contains duplicate element: x",
  ],
  [{ anyOf: {} }, 'TypeMismatch', "$jsonSchema keyword 'anyOf' must be an array"],
  [{ oneOf: [] }, 'BadValue', "$jsonSchema keyword 'oneOf' must be a non-empty array"],
  [
    { allOf: ['x'] },
    'TypeMismatch',
    "$jsonSchema keyword 'allOf' must be an array of objects, but found an element of type string",
  ],
  [{ not: 'x' }, 'TypeMismatch', "$jsonSchema keyword 'not' must be an object, but found an element of type string"],
  [{ enum: 'x' }, 'TypeMismatch', "$jsonSchema keyword 'enum' must be an array, but found an element of type string"],
  [{ enum: [] }, 'FailedToParse', "$jsonSchema keyword 'enum' cannot be an empty array"],
  [{ enum: [1, 1n] }, 'FailedToParse', "$jsonSchema keyword 'enum' array cannot contain duplicate values."],
];

test.each(REFUSED)('%o is refused', (schema, code, message) => {
  expectCoded(() => compileFilter(doc({ $jsonSchema: schema }), context), code, message);
});
