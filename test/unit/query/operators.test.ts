import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CodedError } from '../../../src/base/index.ts';
import { doc } from '../../../src/bson/index.ts';
import { compileFilter, compileProjection, compileUpdate } from '../../../src/query/index.ts';
import { context } from './support.ts';

/** The manual's operators of filters, updates and projections, each here or among the known differences. */
const DIFFERENCES = readFileSync(new URL('../../../src/commands/DIFFERENCES.md', import.meta.url), 'utf8');

function isMissing(name: string, compile: () => unknown): boolean {
  try {
    compile();
    return false;
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const unknown = /unknown (top level )?operator|Unknown modifier|Unknown expression|Unrecognized|not supported/i;
    return unknown.test(error.message) && !DIFFERENCES.includes(`\`${name}\``);
  }
}

const point = { type: 'Point', coordinates: [0, 0] };
const area = {
  $geometry: {
    type: 'Polygon',
    coordinates: [
      [
        [0, 0],
        [0, 1],
        [1, 1],
        [0, 0],
      ],
    ],
  },
};

/** Of a field, with an operand that each takes. */
const OF_FIELDS: Record<string, unknown> = {
  $eq: 1,
  $ne: 1,
  $gt: 1,
  $gte: 1,
  $lt: 1,
  $lte: 1,
  $in: [1],
  $nin: [1],
  $not: { $gt: 1 },
  $exists: true,
  $type: 'int',
  $mod: [2, 0],
  $regex: 'x',
  $all: [1],
  $elemMatch: { $gt: 1 },
  $size: 1,
  $bitsAllClear: 1,
  $bitsAllSet: 1,
  $bitsAnyClear: 1,
  $bitsAnySet: 1,
  $geoIntersects: area,
  $geoWithin: area,
  $near: { $geometry: point },
  $nearSphere: { $geometry: point },
};
const OF_DOCUMENTS: Record<string, unknown> = {
  $and: [{ a: 1 }],
  $or: [{ a: 1 }],
  $nor: [{ a: 1 }],
  $expr: true,
  $jsonSchema: {},
  $text: { $search: 'x' },
  $where: 'true',
  $comment: 'x',
  $sampleRate: 0.5,
  $alwaysTrue: 1,
  $alwaysFalse: 1,
};
const OF_UPDATES: Record<string, unknown> = {
  $currentDate: { a: true },
  $inc: { a: 1 },
  $min: { a: 1 },
  $max: { a: 1 },
  $mul: { a: 1 },
  $rename: { a: 'b' },
  $set: { a: 1 },
  $setOnInsert: { a: 1 },
  $unset: { a: 1 },
  $addToSet: { a: 1 },
  $pop: { a: 1 },
  $pull: { a: 1 },
  $push: { a: { $each: [1], $position: 0, $slice: 5, $sort: 1 } },
  $pullAll: { a: [1] },
  $bit: { a: { and: 1 } },
};
const OF_PROJECTIONS: Record<string, unknown> = {
  $elemMatch: { b: 1 },
  $slice: 1,
  $meta: 'recordId',
  $add: [1, 2],
};

test.each(Object.entries(OF_FIELDS))('%s of a field', (name, operand) => {
  expect(isMissing(name, () => compileFilter(doc({ a: { [name]: operand } }), context))).toBe(false);
});

test.each(Object.entries(OF_DOCUMENTS))('%s of a document', (name, operand) => {
  expect(isMissing(name, () => compileFilter(doc({ [name]: operand }), context))).toBe(false);
});

test.each(Object.entries(OF_UPDATES))('%s of an update', (name, operand) => {
  expect(isMissing(name, () => compileUpdate(doc({ [name]: operand }), { context }))).toBe(false);
});

test.each(Object.entries(OF_PROJECTIONS))('%s of a projection', (name, operand) => {
  expect(isMissing(name, () => compileProjection(doc({ a: { [name]: operand } }), { context }))).toBe(false);
});

test('an operator that nobody has is missing', () => {
  expect(isMissing('$nope', () => compileFilter(doc({ a: { $nope: 1 } }), context))).toBe(true);
  expect(isMissing('$nope', () => compileFilter(doc({ $nope: 1 }), context))).toBe(true);
  expect(isMissing('$nope', () => compileUpdate(doc({ $nope: { a: 1 } }), { context }))).toBe(true);
  expect(isMissing('$nope', () => compileProjection(doc({ a: { $nope: 1 } }), { context }))).toBe(true);
});
