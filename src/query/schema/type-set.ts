import { type Doc, TYPE, typeNumber, type Value } from '../../bson/index.ts';
import { badValue, failedToParse, typeMismatch } from '../error.ts';
import { isArray } from '../value.ts';
import type { TypeKeyword } from './types.ts';

const NUMBERS: readonly number[] = [TYPE.double, TYPE.int, TYPE.long, TYPE.decimal];

const JSON_TYPES: ReadonlyMap<string, readonly number[]> = new Map([
  ['array', [TYPE.array]],
  ['boolean', [TYPE.bool]],
  ['null', [TYPE.null]],
  ['object', [TYPE.object]],
  ['string', [TYPE.string]],
  ['number', NUMBERS],
]);

const BSON_TYPES: ReadonlyMap<string, readonly number[]> = new Map([
  ...Object.entries(TYPE).map(([alias, type]): [string, readonly number[]] => [alias, [type]]),
  ['number', NUMBERS],
]);

export function hasType(value: Value, types: ReadonlySet<number>): boolean {
  return types.has(typeNumber(value));
}

/** Reads `type` or `bsonType`; undefined where the schema has neither. */
export function parseType(schema: Doc): TypeKeyword | undefined {
  if (schema.has('type') && schema.has('bsonType')) {
    throw failedToParse("Cannot specify both $jsonSchema keywords 'type' and 'bsonType'");
  }
  if (schema.has('type')) return typeKeyword('type', schema.get('type'), JSON_TYPES);
  return schema.has('bsonType') ? typeKeyword('bsonType', schema.get('bsonType'), BSON_TYPES) : undefined;
}

function typeKeyword(
  keyword: 'type' | 'bsonType',
  operand: Value,
  known: ReadonlyMap<string, readonly number[]>,
): TypeKeyword {
  if (typeof operand !== 'string' && !isArray(operand)) {
    throw typeMismatch(`$jsonSchema keyword '${keyword}' must be either a string or an array of strings`);
  }
  const aliases = new Set<string>();
  for (const alias of isArray(operand) ? operand : [operand]) {
    if (typeof alias !== 'string') {
      throw typeMismatch(`$jsonSchema keyword '${keyword}' array elements must be strings`);
    }
    if (alias === 'integer') throw failedToParse("$jsonSchema type 'integer' is not currently supported.");
    if (aliases.has(alias)) throw failedToParse(`$jsonSchema keyword '${keyword}' has duplicate value: ${alias}`);
    aliases.add(alias);
  }
  if (aliases.size === 0) throw failedToParse(`$jsonSchema keyword '${keyword}' must name at least one type`);
  const types = new Set<number>();
  for (const alias of [...aliases].sort()) {
    const numbers = known.get(alias);
    if (!numbers) throw badValue(`Unknown type name alias: ${alias}`);
    for (const number of numbers) types.add(number);
  }
  return { keyword, types, operand };
}
