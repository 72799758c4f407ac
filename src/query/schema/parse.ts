import { CodedError } from '../../base/index.ts';
import type { Doc, Value } from '../../bson/index.ts';
import { badValue, failedToParse, typeMismatch } from '../error.ts';
import { isArray, isDoc, typeName } from '../value.ts';
import { parseArrayKeywords } from './parse-array.ts';
import { parseObjectKeywords } from './parse-object.ts';
import { parseScalarKeywords } from './parse-scalar.ts';
import { parseType } from './type-set.ts';
import type { CombinationKeyword, Keyword, Schema } from './types.ts';
import { sameUnordered } from './unordered.ts';

const KEYWORDS: ReadonlySet<string> = new Set([
  'additionalItems',
  'additionalProperties',
  'allOf',
  'anyOf',
  'bsonType',
  'dependencies',
  'description',
  'encrypt',
  'encryptMetadata',
  'enum',
  'exclusiveMaximum',
  'exclusiveMinimum',
  'items',
  'maxItems',
  'maxLength',
  'maxProperties',
  'maximum',
  'minItems',
  'minLength',
  'minProperties',
  'minimum',
  'multipleOf',
  'not',
  'oneOf',
  'pattern',
  'patternProperties',
  'properties',
  'required',
  'title',
  'type',
  'uniqueItems',
]);
/** Keywords of draft 4 that MongoDB has not. */
const UNSUPPORTED: ReadonlySet<string> = new Set(['$ref', '$schema', 'default', 'definitions', 'format', 'id']);

/** Parses a `$jsonSchema`. Throws FailedToParse, TypeMismatch or BadValue as MongoDB does, in its order. */
export function parseSchema(source: Doc): Schema {
  for (const name of source.keys()) {
    if (UNSUPPORTED.has(name)) throw failedToParse(`$jsonSchema keyword '${name}' is not currently supported`);
    if (!KEYWORDS.has(name)) throw failedToParse(`Unknown $jsonSchema keyword: ${name}`);
  }
  const description = annotation(source, 'description');
  const title = annotation(source, 'title');
  const type = parseType(source);
  const keywords: Keyword[] = [...parseScalarKeywords(source), ...parseArrayKeywords(source, parseSchema)];
  if (source.has('encrypt') || source.has('encryptMetadata')) {
    throw new CodedError(
      'QueryFeatureNotAllowed',
      'Encryption-related validator keywords are not allowed in this context',
    );
  }
  keywords.push(...parseObjectKeywords(source, parseSchema), ...parseLogic(source));
  if (type) keywords.push(type);
  return { source, title, description, keywords };
}

function annotation(source: Doc, name: 'title' | 'description'): string | undefined {
  if (!source.has(name)) return undefined;
  const text = source.get(name);
  if (typeof text !== 'string') throw typeMismatch(`$jsonSchema keyword '${name}' must be of type string`);
  return text;
}

function* parseLogic(source: Doc): Generator<Keyword> {
  for (const keyword of ['allOf', 'anyOf', 'oneOf'] as const) {
    if (source.has(keyword)) yield combination(keyword, source.get(keyword));
  }
  if (source.has('not')) {
    const operand = source.get('not');
    if (!isDoc(operand)) {
      throw typeMismatch(
        `$jsonSchema keyword 'not' must be an object, but found an element of type ${typeName(operand)}`,
      );
    }
    yield { keyword: 'not', schema: parseSchema(operand) };
  }
  if (source.has('enum')) yield { keyword: 'enum', values: enumValues(source.get('enum')) };
}

function combination(keyword: CombinationKeyword['keyword'], operand: Value): CombinationKeyword {
  if (!isArray(operand)) throw typeMismatch(`$jsonSchema keyword '${keyword}' must be an array`);
  if (operand.length === 0) throw badValue(`$jsonSchema keyword '${keyword}' must be a non-empty array`);
  const schemas = operand.map((item) => {
    if (isDoc(item)) return parseSchema(item);
    throw typeMismatch(
      `$jsonSchema keyword '${keyword}' must be an array of objects, but found an element of type ${typeName(item)}`,
    );
  });
  return { keyword, schemas };
}

function enumValues(operand: Value): readonly Value[] {
  if (!isArray(operand)) {
    throw typeMismatch(
      `$jsonSchema keyword 'enum' must be an array, but found an element of type ${typeName(operand)}`,
    );
  }
  if (operand.length === 0) throw failedToParse("$jsonSchema keyword 'enum' cannot be an empty array");
  if (operand.some((value, at) => operand.slice(0, at).some((earlier) => sameUnordered(earlier, value)))) {
    throw failedToParse("$jsonSchema keyword 'enum' array cannot contain duplicate values.");
  }
  return operand;
}
