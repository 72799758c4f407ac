import { describe, expect, it } from 'vitest';
import { Decimal128 } from '../../../src/bson/index.ts';
import { at, failure, Harness } from './harness.ts';

const cases: [object, number, string, string][] = [
  [{ insert: 'c', documents: [{}], foo: 1 }, 40415, 'IDLUnknownField', "BSON field 'insert.foo' is an unknown field."],
  [
    { find: 'c', limit: 'x' },
    14,
    'TypeMismatch',
    "BSON field 'FindCommandRequest.limit' is the wrong type 'string', expected types '[long, int, decimal, double]'",
  ],
  [
    { find: 'c', filter: [] },
    14,
    'TypeMismatch',
    // The space is missing there, too.
    'Expected field filterto be of type object',
  ],
  [{ find: 'c', singleBatch: 1 }, 14, 'TypeMismatch', "Field 'singleBatch' should be a boolean value, but found: int"],
  [{ find: 'c', tailable: null }, 14, 'TypeMismatch', "Field 'tailable' should be a boolean value, but found: null"],
  [{ find: 'c', sort: null }, 14, 'TypeMismatch', 'Expected field sortto be of type object'],
  [{ find: 'c', foo: 1 }, 40415, 'IDLUnknownField', "BSON field 'FindCommandRequest.foo' is an unknown field."],
  [
    { find: 'c', limit: 'x', foo: 1 },
    14,
    'TypeMismatch',
    "BSON field 'FindCommandRequest.limit' is the wrong type 'string', expected types '[long, int, decimal, double]'",
  ],
  [
    { find: 'c', foo: 1, limit: 'x' },
    40415,
    'IDLUnknownField',
    "BSON field 'FindCommandRequest.foo' is an unknown field.",
  ],
  [
    { explain: { find: 'c', limit: {} } },
    14,
    'TypeMismatch',
    "BSON field 'FindCommandRequest.limit' is the wrong type 'object', expected types '[long, int, decimal, double]'",
  ],
  [{ find: 'c', hint: null }, 9, 'FailedToParse', 'Hint must be a string or an object'],
  [{ count: 'c', limit: null }, 2, 'BadValue', 'limit value is not a valid number'],
  [{ count: 'c', limit: 1.5 }, 9, 'FailedToParse', 'Expected an integer: limit: 1.5'],
  [{ count: 'c', limit: -(2n ** 63n) }, 2, 'BadValue', 'limit value for count cannot be min long'],
  [
    { count: 'c', skip: 'x' },
    14,
    'TypeMismatch',
    "BSON field 'count.skip' is the wrong type 'string', expected types '[long, int, decimal, double]'",
  ],
  [{ count: 'c', skip: -1 }, 2, 'BadValue', "BSON field 'skip' value must be >= 0, actual value '-1'"],
  [
    { insert: 'c', documents: [{}, 5] },
    14,
    'TypeMismatch',
    "BSON field 'insert.documents.1' is the wrong type 'int', expected type 'object'",
  ],
  [
    { insert: 'c', documents: [{}], ordered: 1 },
    14,
    'TypeMismatch',
    "BSON field 'insert.ordered' is the wrong type 'int', expected type 'bool'",
  ],
  [
    { insert: 'c', documents: [{}], bypassDocumentValidation: 'x' },
    14,
    'TypeMismatch',
    "BSON field 'insert.bypassDocumentValidation' is the wrong type 'string', expected types '[bool, long, int, decimal, double]'",
  ],
  [
    { update: 'c', updates: [{ q: {}, u: {}, multi: 1 }] },
    14,
    'TypeMismatch',
    "BSON field 'update.updates.multi' is the wrong type 'int', expected type 'bool'",
  ],
  [
    { delete: 'c', deletes: [{ q: {}, limit: 1.5 }] },
    9,
    'FailedToParse',
    'The limit field in delete objects must be 0 or 1. Got 1.5',
  ],
  [
    { renameCollection: 'a.b', to: 'a.c', dropTarget: 1, $db: 'admin' },
    14,
    'TypeMismatch',
    "BSON field 'renameCollection.dropTarget' is the wrong type 'int', expected types '[bool, binData]'",
  ],
  [
    { listCollections: 1, nameOnly: 1 },
    14,
    'TypeMismatch',
    "BSON field 'listCollections.nameOnly' is the wrong type 'int', expected type 'bool'",
  ],
  [{ aggregate: 'c', pipeline: [], cursor: null }, 14, 'TypeMismatch', 'cursor field must be missing or an object'],
  [
    { aggregate: 'c', pipeline: [], cursor: { zz: 1 } },
    40415,
    'IDLUnknownField',
    "BSON field 'cursor.zz' is an unknown field.",
  ],
  [
    { aggregate: 'c', pipeline: [], cursor: { batchSize: -1 } },
    2,
    'BadValue',
    "BSON field 'batchSize' value must be >= 0, actual value '-1'",
  ],
  [{ aggregate: 'c', pipeline: [], explain: 1 }, 14, 'TypeMismatch', 'explain must be a boolean'],
  [
    { aggregate: 'c', pipeline: [], cursor: {}, allowDiskUse: 1 },
    14,
    'TypeMismatch',
    "Field 'allowDiskUse' should be a boolean value, but found: int",
  ],
  [{ find: 'c', skip: -1 }, 2, 'BadValue', "BSON field 'skip' value must be >= 0, actual value '-1'"],
  [{ insert: 'c' }, 40414, 'IDLFailedToParse', "BSON field 'insert.documents' is missing but a required field"],
  [
    { insert: 'c', documents: 'x' },
    14,
    'TypeMismatch',
    "BSON field 'insert.documents' is the wrong type 'string', expected type 'array'",
  ],
  [
    { insert: 'c', documents: null },
    40414,
    'IDLFailedToParse',
    "BSON field 'insert.documents' is missing but a required field",
  ],
  [{ update: 'c' }, 40414, 'IDLFailedToParse', "BSON field 'update.updates' is missing but a required field"],
  [
    { update: 'c', updates: [{ q: {} }] },
    40414,
    'IDLFailedToParse',
    "BSON field 'update.updates.u' is missing but a required field",
  ],
  [
    { update: 'c', updates: [{ q: {}, u: {}, x: 1 }] },
    40415,
    'IDLUnknownField',
    "BSON field 'update.updates.x' is an unknown field.",
  ],
  [
    { update: 'c', updates: ['x'] },
    14,
    'TypeMismatch',
    "BSON field 'update.updates.0' is the wrong type 'string', expected type 'object'",
  ],
  [
    { update: 'c', updates: [{ q: {}, u: 5 }] },
    9,
    'FailedToParse',
    'Update argument must be either an object or an array',
  ],
  [
    { delete: 'c', deletes: [{ q: {} }] },
    40414,
    'IDLFailedToParse',
    "BSON field 'delete.deletes.limit' is missing but a required field",
  ],
  [
    { delete: 'c', deletes: [{ q: {}, limit: 2 }] },
    9,
    'FailedToParse',
    'The limit field in delete objects must be 0 or 1. Got 2',
  ],
  [
    { getMore: 5, collection: 'c' },
    14,
    'TypeMismatch',
    "BSON field 'getMore.getMore' is the wrong type 'int', expected type 'long'",
  ],
  [{ getMore: 5n }, 40414, 'IDLFailedToParse', "BSON field 'getMore.collection' is missing but a required field"],
  [{ find: 1 }, 2, 'BadValue', 'collection name has invalid type int'],
  [{ find: '' }, 73, 'InvalidNamespace', "Invalid namespace specified 'test.'"],
  [{ find: '.a' }, 73, 'InvalidNamespace', "Collection names cannot start with '.': .a"],
  [{ insert: 'a$b', documents: [{}] }, 73, 'InvalidNamespace', 'Invalid collection name: a$b'],
  [{ insert: 'system.foo', documents: [{}] }, 73, 'InvalidNamespace', 'Invalid system namespace: test.system.foo'],
  [{ find: 'c', awaitData: true }, 9, 'FailedToParse', "Cannot set 'awaitData' without also setting 'tailable'"],
  [{ find: 'c', collation: 'fr' }, 14, 'TypeMismatch', 'Expected field collationto be of type object'],
  [{ create: 'c', capped: true }, 72, 'InvalidOptions', 'specify size:<n> when capped is true'],
  [{ create: 'c', encryptedFields: {} }, 238, 'NotImplemented', 'DiscoDB does not support queryable encryption yet'],
  [
    { distinct: 'c' },
    40414,
    'IDLFailedToParse',
    "BSON field 'distinctCommandRequest.key' is missing but a required field",
  ],
  [
    { aggregate: 'c', pipeline: [] },
    9,
    'FailedToParse',
    "The 'cursor' option is required, except for aggregate with the explain argument",
  ],
  [
    { aggregate: 'c', pipeline: 'x', cursor: {} },
    14,
    'TypeMismatch',
    "'pipeline' option must be specified as an array",
  ],
  [
    { aggregate: 'c', pipeline: [{ $changeStream: {} }], cursor: {} },
    40573,
    'Location40573',
    'The $changeStream stage is not supported by DiscoDB yet',
  ],
  [
    { insert: 'c', documents: [] },
    16,
    'InvalidLength',
    'Write batch sizes must be between 1 and 100000. Got 0 operations.',
  ],
];

describe('a malformed command is refused as MongoDB refuses it', () => {
  for (const [command, code, codeName, errmsg] of cases) {
    it(errmsg, async () => {
      expect(failure(await new Harness().run(command))).toEqual([code, codeName, errmsg]);
    });
  }
});

describe('a well-formed command', () => {
  it('deletes all for a limit that is no number', async () => {
    const harness = new Harness();
    await harness.run({
      delete: 'c',
      deletes: [
        { q: {}, limit: 'x' },
        { q: {}, limit: null },
        { q: {}, limit: true },
      ],
    });
    const [, statements] = harness.engine.called('delete');
    expect(statements).toMatchObject([{ limit: 0 }, { limit: 0 }, { limit: 0 }]);
  });

  it('may give numbers in every type, null for nothing, and harmless values of what is not there', async () => {
    const harness = new Harness();
    await harness.insert('c', { a: 1 }, { a: 2 }, { a: 3 });
    const reply = await harness.run({
      find: 'c',
      limit: 2n,
      skip: Decimal128.fromString('1'),
      batchSize: 10.5,
      let: null,
      comment: null,
      hint: {},
      tailable: false,
      collation: { locale: 'simple' },
    });
    expect((at(reply, 'cursor.firstBatch') as unknown[]).length).toBe(2);
    const [, query] = harness.engine.called('find');
    expect(query).toMatchObject({ limit: 2, skip: 1, sort: undefined, hint: undefined, read: 'local' });
  });
});
