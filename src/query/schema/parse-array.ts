import type { Doc, Value } from '../../bson/index.ts';
import { typeMismatch } from '../error.ts';
import { isArray, isDoc, typeName } from '../value.ts';
import { parseLimits } from './parse-scalar.ts';
import type { Keyword, Schema } from './types.ts';

/** The keywords on arrays. */
export function* parseArrayKeywords(source: Doc, parseSchema: (source: Doc) => Schema): Generator<Keyword> {
  yield* parseLimits(source, 'minItems', 'maxItems');
  if (source.has('uniqueItems')) {
    const unique = source.get('uniqueItems');
    if (typeof unique !== 'boolean') throw typeMismatch("$jsonSchema keyword 'uniqueItems' must be a boolean");
    yield { keyword: 'uniqueItems', unique };
  }
  const items = source.has('items') ? parseItems(source.get('items'), parseSchema) : undefined;
  if (items) yield { keyword: 'items', items, operand: source.get('items') };
  if (!source.has('additionalItems')) return;
  const operand = source.get('additionalItems');
  if (typeof operand !== 'boolean' && !isDoc(operand)) {
    throw typeMismatch(
      `$jsonSchema keyword 'additionalItems' must be either an object or a boolean, but got a ${typeName(operand)}`,
    );
  }
  const schema = isDoc(operand) ? parseSchema(operand) : operand;
  // One schema for all elements leaves none that are additional.
  if (Array.isArray(items)) yield { keyword: 'additionalItems', from: items.length, schema, operand };
}

function parseItems(operand: Value, parseSchema: (source: Doc) => Schema): Schema | readonly Schema[] {
  if (isDoc(operand)) return parseSchema(operand);
  if (!isArray(operand)) {
    throw typeMismatch(`$jsonSchema keyword 'items' must be an array or an object, not ${typeName(operand)}`);
  }
  return operand.map((item) => {
    if (isDoc(item)) return parseSchema(item);
    throw typeMismatch(
      `$jsonSchema keyword 'items' requires that each element of the array is an object, but found a ${typeName(item)}`,
    );
  });
}
