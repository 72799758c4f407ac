import type { Doc, Value } from '../../bson/index.ts';
import { failedToParse, typeMismatch } from '../error.ts';
import { range } from '../filter/comparison.ts';
import { nonNegativeLong } from '../integer.ts';
import { toDecimal } from '../number.ts';
import { compileRegex } from '../regex/index.ts';
import { isNumeric } from '../value.ts';
import type { BoundKeyword, Keyword, LimitKeyword } from './types.ts';

/** The keywords on strings and numbers. */
export function* parseScalarKeywords(source: Doc): Generator<Keyword> {
  if (source.has('pattern')) {
    const pattern = source.get('pattern');
    if (typeof pattern !== 'string') throw typeMismatch("$jsonSchema keyword 'pattern' must be a string");
    yield { keyword: 'pattern', pattern, regex: compileRegex(pattern, '') };
  }
  yield* parseLimits(source, 'maxLength', 'minLength');
  if (source.has('multipleOf')) yield multipleOf(source.get('multipleOf'));
  yield* parseBound(source, 'maximum', 'exclusiveMaximum');
  yield* parseBound(source, 'minimum', 'exclusiveMinimum');
}

export function* parseLimits(source: Doc, ...names: readonly LimitKeyword['keyword'][]): Generator<LimitKeyword> {
  for (const keyword of names) {
    if (!source.has(keyword)) continue;
    const operand = source.get(keyword);
    yield { keyword, operand, limit: Number(nonNegativeLong(keyword, operand)) };
  }
}

function multipleOf(operand: Value): Keyword {
  if (!isNumeric(operand)) throw typeMismatch("$jsonSchema keyword 'multipleOf' must be a number");
  const divisor = toDecimal(operand);
  if (/^-|^0(\.0*)?(E|$)/.test(divisor.toString())) {
    throw failedToParse("$jsonSchema keyword 'multipleOf' must have a positive value");
  }
  return { keyword: 'multipleOf', divisor, operand };
}

function* parseBound(
  source: Doc,
  keyword: BoundKeyword['keyword'],
  exclusiveKeyword: 'exclusiveMaximum' | 'exclusiveMinimum',
): Generator<BoundKeyword> {
  if (!source.has(keyword)) {
    if (!source.has(exclusiveKeyword)) return;
    throw failedToParse(`$jsonSchema keyword '${keyword}' must be a present if ${exclusiveKeyword} is present`);
  }
  const exclusive = source.has(exclusiveKeyword) ? source.get(exclusiveKeyword) : false;
  if (typeof exclusive !== 'boolean') throw typeMismatch(`$jsonSchema keyword '${exclusiveKeyword}' must be a boolean`);
  const operand = source.get(keyword);
  if (!isNumeric(operand)) throw typeMismatch(`$jsonSchema keyword '${keyword}' must be a number`);
  const side = keyword === 'maximum' ? '$lt' : '$gt';
  const holds = range(exclusive ? side : `${side}e`, operand, '').single;
  yield { keyword, operand, exclusive, holds };
}
