import { describe, expect, it } from 'vitest';
import { doc } from '../../../src/bson/index.ts';
import { compileValidator } from '../../../src/query/index.ts';
import { context, expectCoded, show } from './support.ts';

/** A validator, a document that fails it, and why: MongoDB's `errInfo.details`. */
const EXPLAINED: readonly [object, object, object][] = [
  [
    { a: { $gt: 5 } },
    { a: 1 },
    { operatorName: '$gt', specifiedAs: { a: { $gt: 5 } }, reason: 'comparison failed', consideredValue: 1 },
  ],
  [{ a: 5 }, { a: 1 }, { operatorName: '$eq', specifiedAs: { a: 5 }, reason: 'comparison failed', consideredValue: 1 }],
  [{ a: { $gt: 5 } }, {}, { operatorName: '$gt', specifiedAs: { a: { $gt: 5 } }, reason: 'field was missing' }],
  [
    { 'a.b': { $gt: 5 } },
    { a: [{ b: 1 }, { b: 2 }] },
    {
      operatorName: '$gt',
      specifiedAs: { 'a.b': { $gt: 5 } },
      reason: 'comparison failed',
      consideredValues: [1, 2],
    },
  ],
  [
    { a: { $gt: 5 } },
    { a: [] },
    { operatorName: '$gt', specifiedAs: { a: { $gt: 5 } }, reason: 'comparison failed', consideredValues: [] },
  ],
  [
    { a: { $gt: 99 } },
    { a: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10] },
    {
      operatorName: '$gt',
      specifiedAs: { a: { $gt: 99 } },
      reason: 'comparison failed',
      consideredValues: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      consideredValuesTruncated: true,
    },
  ],
  [
    { a: { $ne: 1 } },
    { a: 1 },
    { operatorName: '$ne', specifiedAs: { a: { $ne: 1 } }, reason: 'comparison succeeded', consideredValue: 1 },
  ],
  [
    { a: { $nin: [1] } },
    { a: 1 },
    {
      operatorName: '$nin',
      specifiedAs: { a: { $nin: [1] } },
      reason: 'matching value found in array',
      consideredValue: 1,
    },
  ],
  [
    { a: { $exists: true } },
    {},
    { operatorName: '$exists', specifiedAs: { a: { $exists: true } }, reason: 'path does not exist' },
  ],
  [
    { a: { $exists: false } },
    { a: 1 },
    { operatorName: '$exists', specifiedAs: { a: { $exists: false } }, reason: 'path does exist' },
  ],
  [
    { a: { $type: 'string' } },
    { a: 1 },
    {
      operatorName: '$type',
      specifiedAs: { a: { $type: 'string' } },
      reason: 'type did not match',
      consideredValue: 1,
      consideredType: 'int',
    },
  ],
  [
    { a: { $size: 2 } },
    { a: [1] },
    {
      operatorName: '$size',
      specifiedAs: { a: { $size: 2 } },
      reason: 'array length was not equal to given size',
      consideredValue: [1],
    },
  ],
  [
    { a: { $size: 2 } },
    { a: 'x' },
    {
      operatorName: '$size',
      specifiedAs: { a: { $size: 2 } },
      reason: 'type did not match',
      consideredType: 'string',
      expectedType: 'array',
      consideredValue: 'x',
    },
  ],
  [
    { a: { $mod: [2, 0] } },
    { a: 'x' },
    {
      operatorName: '$mod',
      specifiedAs: { a: { $mod: [2, 0] } },
      reason: 'type did not match',
      consideredType: 'string',
      expectedTypes: ['decimal', 'double', 'int', 'long'],
      consideredValue: 'x',
    },
  ],
  [
    { a: { $regex: '^x', $options: 'i' } },
    { a: 'yy' },
    {
      operatorName: '$regex',
      specifiedAs: { a: { $regex: '^x', $options: 'i' } },
      reason: 'regular expression did not match',
      consideredValue: 'yy',
    },
  ],
  [
    { a: { $elemMatch: { $gt: 3 } } },
    { a: [1, 2] },
    {
      operatorName: '$elemMatch',
      specifiedAs: { a: { $elemMatch: { $gt: 3 } } },
      reason: 'array did not satisfy the child predicate',
      consideredValue: [1, 2],
    },
  ],
  [
    { a: { $all: [1, 2] } },
    { a: [1] },
    {
      operatorName: '$all',
      specifiedAs: { a: { $all: [1, 2] } },
      reason: 'array did not contain all specified values',
      consideredValue: [1],
    },
  ],
  [
    { a: { $bitsAllSet: [1] } },
    { a: 1 },
    {
      operatorName: '$bitsAllSet',
      specifiedAs: { a: { $bitsAllSet: [1] } },
      reason: 'bitwise operator failed to match',
      consideredValue: 1,
    },
  ],
  [
    { $expr: { $gt: ['$a', '$b'] } },
    { a: 1, b: 2 },
    {
      operatorName: '$expr',
      specifiedAs: { $expr: { $gt: ['$a', '$b'] } },
      reason: 'expression did not match',
      expressionResult: false,
    },
  ],
  [
    { a: { $not: { $gt: 1 } } },
    { a: 2 },
    {
      operatorName: '$not',
      details: {
        operatorName: '$gt',
        specifiedAs: { a: { $gt: 1 } },
        reason: 'comparison succeeded',
        consideredValue: 2,
      },
    },
  ],
  [
    { a: { $gt: 1, $lt: 5 }, b: 1 },
    { a: 7, b: 1 },
    {
      operatorName: '$and',
      clausesNotSatisfied: [
        {
          index: 1,
          details: {
            operatorName: '$lt',
            specifiedAs: { a: { $lt: 5 } },
            reason: 'comparison failed',
            consideredValue: 7,
          },
        },
      ],
    },
  ],
  [
    { $or: [{ a: 1 }, { b: { $exists: true } }] },
    { a: 2 },
    {
      operatorName: '$or',
      clausesNotSatisfied: [
        {
          index: 0,
          details: { operatorName: '$eq', specifiedAs: { a: 1 }, reason: 'comparison failed', consideredValue: 2 },
        },
        {
          index: 1,
          details: { operatorName: '$exists', specifiedAs: { b: { $exists: true } }, reason: 'path does not exist' },
        },
      ],
    },
  ],
  [
    { $nor: [{ a: 1 }, { b: 1 }] },
    { a: 2, b: 1 },
    {
      operatorName: '$nor',
      clausesSatisfied: [
        {
          index: 1,
          details: { operatorName: '$eq', specifiedAs: { b: 1 }, reason: 'comparison succeeded', consideredValue: 1 },
        },
      ],
    },
  ],
  [
    { $nor: [{ $jsonSchema: { required: ['a'] } }] },
    { a: 1 },
    {
      operatorName: '$nor',
      clausesSatisfied: [{ index: 0, details: { operatorName: '$jsonSchema', reason: 'schema matched' } }],
    },
  ],
];

/** A `$jsonSchema`, a document that does not fit, and `schemaRulesNotSatisfied`. */
const SCHEMAS: readonly [object, object, object[]][] = [
  [
    { required: ['b', 'a'] },
    { a: 1 },
    [{ operatorName: 'required', specifiedAs: { required: ['b', 'a'] }, missingProperties: ['b'] }],
  ],
  [
    { properties: { a: { bsonType: ['double'], title: 'A', description: 'must be a double' }, b: { minimum: 1 } } },
    { a: 3 },
    [
      {
        operatorName: 'properties',
        propertiesNotSatisfied: [
          {
            propertyName: 'a',
            title: 'A',
            description: 'must be a double',
            details: [
              {
                operatorName: 'bsonType',
                specifiedAs: { bsonType: ['double'] },
                reason: 'type did not match',
                consideredValue: 3,
                consideredType: 'int',
              },
            ],
          },
        ],
      },
    ],
  ],
  [
    { properties: { a: { minimum: 5, exclusiveMinimum: true } } },
    { a: 5 },
    [
      {
        operatorName: 'properties',
        propertiesNotSatisfied: [
          {
            propertyName: 'a',
            details: [
              {
                operatorName: 'minimum',
                specifiedAs: { minimum: 5, exclusiveMinimum: true },
                reason: 'comparison failed',
                consideredValue: 5,
              },
            ],
          },
        ],
      },
    ],
  ],
  [
    { properties: { a: { enum: ['x', 'y'] } } },
    { a: 'z' },
    [
      {
        operatorName: 'properties',
        propertiesNotSatisfied: [
          {
            propertyName: 'a',
            details: [
              {
                operatorName: 'enum',
                specifiedAs: { enum: ['x', 'y'] },
                reason: 'value was not found in enum',
                consideredValue: 'z',
              },
            ],
          },
        ],
      },
    ],
  ],
  [
    { properties: { a: { minLength: 3, pattern: '^x' } } },
    { a: 'yy' },
    [
      {
        operatorName: 'properties',
        propertiesNotSatisfied: [
          {
            propertyName: 'a',
            details: [
              {
                operatorName: 'pattern',
                specifiedAs: { pattern: '^x' },
                reason: 'regular expression did not match',
                consideredValue: 'yy',
              },
              {
                operatorName: 'minLength',
                specifiedAs: { minLength: 3 },
                reason: 'specified string length was not satisfied',
                consideredValue: 'yy',
              },
            ],
          },
        ],
      },
    ],
  ],
  [
    { additionalProperties: false, properties: { _id: {}, a: {} } },
    { _id: 1, a: 1, b: 2, c: 3 },
    [
      {
        operatorName: 'additionalProperties',
        specifiedAs: { additionalProperties: false },
        additionalProperties: ['b', 'c'],
      },
    ],
  ],
  [
    { patternProperties: { '^s': { bsonType: 'string' } } },
    { s1: 1 },
    [
      {
        operatorName: 'patternProperties',
        details: [
          {
            propertyName: 's1',
            regexMatched: '^s',
            details: [
              {
                operatorName: 'bsonType',
                specifiedAs: { bsonType: 'string' },
                reason: 'type did not match',
                consideredValue: 1,
                consideredType: 'int',
              },
            ],
          },
        ],
      },
    ],
  ],
  [
    { properties: { a: { items: { bsonType: 'int' }, minItems: 3 } } },
    { a: [1, 'x'] },
    [
      {
        operatorName: 'properties',
        propertiesNotSatisfied: [
          {
            propertyName: 'a',
            details: [
              {
                operatorName: 'minItems',
                specifiedAs: { minItems: 3 },
                reason: 'array did not match specified length',
                consideredValue: [1, 'x'],
                numberOfItems: 2,
              },
              {
                operatorName: 'items',
                reason: 'At least one item did not match the sub-schema',
                itemIndex: 1,
                details: [
                  {
                    operatorName: 'bsonType',
                    specifiedAs: { bsonType: 'int' },
                    reason: 'type did not match',
                    consideredValue: 'x',
                    consideredType: 'string',
                  },
                ],
              },
            ],
          },
        ],
      },
    ],
  ],
  [
    { properties: { a: { uniqueItems: true } } },
    { a: [1, 2, 1] },
    [
      {
        operatorName: 'properties',
        propertiesNotSatisfied: [
          {
            propertyName: 'a',
            details: [
              {
                operatorName: 'uniqueItems',
                specifiedAs: { uniqueItems: true },
                reason: 'found a duplicate item',
                consideredValue: [1, 2, 1],
                duplicatedValue: 1,
              },
            ],
          },
        ],
      },
    ],
  ],
  [
    { dependencies: { a: ['b', 'c'], d: { required: ['e'] } } },
    { a: 1, c: 1, d: 1 },
    [
      {
        operatorName: 'dependencies',
        failingDependencies: [
          { conditionalProperty: 'a', missingProperties: ['b'] },
          {
            conditionalProperty: 'd',
            details: [{ operatorName: 'required', specifiedAs: { required: ['e'] }, missingProperties: ['e'] }],
          },
        ],
      },
    ],
  ],
  [
    { anyOf: [{ required: ['a'] }, { minProperties: 9, description: 'many' }] },
    { b: 1 },
    [
      {
        operatorName: 'anyOf',
        schemasNotSatisfied: [
          {
            index: 0,
            details: [{ operatorName: 'required', specifiedAs: { required: ['a'] }, missingProperties: ['a'] }],
          },
          {
            index: 1,
            description: 'many',
            details: [
              {
                operatorName: 'minProperties',
                specifiedAs: { minProperties: 9 },
                reason: 'specified number of properties was not satisfied',
                numberOfProperties: 1,
              },
            ],
          },
        ],
      },
    ],
  ],
  [
    { oneOf: [{ required: ['a'] }, { required: ['b'] }, { required: ['z'] }] },
    { a: 1, b: 1 },
    [{ operatorName: 'oneOf', reason: 'more than one subschema matched', matchingSchemaIndexes: [0, 1] }],
  ],
  [{ not: { required: ['a'] } }, { a: 1 }, [{ operatorName: 'not', reason: 'child expression matched' }]],
];

describe('a validator', () => {
  it.each(EXPLAINED)('%j tells why %j fails', (source, document, details) => {
    const validator = compileValidator(doc(source), context);
    expect(validator.matches(doc(document))).toBe(false);
    expect(show(doc({ why: validator.explain(doc(document)).get('details') }))).toBe(show(doc({ why: details })));
  });

  it.each(SCHEMAS)('$jsonSchema %j tells why %j fails', (schema, document, rules) => {
    const validator = compileValidator(doc({ $jsonSchema: { title: 'T', ...schema } }), context);
    expect(validator.matches(doc(document))).toBe(false);
    const details = { operatorName: '$jsonSchema', title: 'T', schemaRulesNotSatisfied: rules };
    expect(show(doc({ why: validator.explain(doc(document)).get('details') }))).toBe(show(doc({ why: details })));
  });

  it.each([
    [{ $text: { $search: 'x' } }, '$text is not allowed in this context'],
    [{ $or: [{ $where: 'true' }] }, '$where is not allowed in this context'],
    [{ a: { $nope: 1 } }, 'unknown operator: $nope'],
  ])('%j is refused', (source, message) => {
    expectCoded(() => compileValidator(doc(source), context), 'BadValue', message);
  });

  it('by distance is refused', () => {
    const message = /^\$geoNear, \$near, and \$nearSphere are not allowed in this context, as these operators /;
    expect(() => compileValidator(doc({ a: { $near: [0, 0] } }), context)).toThrow(message);
  });

  it('leaves values out that are too much to tell', () => {
    const validator = compileValidator(doc({ text: { $type: 'int' }, deep: { $type: 'int' } }), context);
    const large = validator.explain(doc({ _id: 1, text: 'x'.repeat(13 * 2 ** 20), deep: 1 }));
    const rest = { operatorName: '$type', reason: 'type did not match', consideredType: 'string' };
    const details = { operatorName: '$and', clausesNotSatisfied: [{ index: 0, details: rest }] };
    expect(show(large)).toBe(show(doc({ failingDocumentId: 1, truncated: true, details })));
    let deep: object = {};
    for (let level = 0; level < 195; level++) deep = { deep };
    const nested = validator.explain(doc({ _id: 1, text: 1, deep }));
    expect(show(nested)).toBe(show(doc({ reason: 'generated error was too deeply nested', truncated: true })));
  });
});
