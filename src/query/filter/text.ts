import { CodedError } from '../../base/index.ts';
import { type Doc, typeAlias, type Value } from '../../bson/index.ts';
import { TextSearch } from '../../text/index.ts';
import { badValue } from '../error.ts';
import type { QueryContext } from '../types.ts';
import { isArray, isDoc } from '../value.ts';

/** The search that a `$text` asks for. Throws IndexNotFound where the collection has no text index. */
export function textSearch(operand: Value, context: QueryContext): TextSearch {
  if (!isDoc(operand)) throw badValue('$text expects an object');
  const search = field(operand, '$search', 'string');
  if (search === undefined) throw new CodedError('NoSuchKey', 'Missing expected field "$search"');
  const language = field(operand, '$language', 'string');
  const caseSensitive = field(operand, '$caseSensitive', 'bool');
  const diacriticSensitive = field(operand, '$diacriticSensitive', 'bool');
  const known = [search, language, caseSensitive, diacriticSensitive].filter((value) => value !== undefined);
  if (operand.size !== known.length) throw badValue('extra fields in $text');
  if (!context.textIndex) throw badValue('$text is not allowed in this context');
  return new TextSearch(context.textIndex(), {
    search: search as string,
    // An empty name asks for the index's own, as in MongoDB.
    language: (language as string | undefined) || undefined,
    caseSensitive: caseSensitive === true,
    diacriticSensitive: diacriticSensitive === true,
  });
}

/** The operand of a filter's only `$text`, if it has one. Throws where it has several, or one within a `$nor`. */
export function textOperand(filter: Doc): Value {
  const found = occurrences(filter, false);
  if (found.length > 1) throw badValue('Too many text expressions');
  if (found[0]?.negated) throw badValue('text expression not allowed in nor');
  return found[0]?.operand;
}

export function hasText(filter: Doc): boolean {
  return occurrences(filter, false).length > 0;
}

function occurrences(filter: Doc, negated: boolean): { operand: Value; negated: boolean }[] {
  return [...filter].flatMap(([name, operand]) => {
    if (name === '$text') return [{ operand, negated }];
    if ((name !== '$and' && name !== '$or' && name !== '$nor') || !isArray(operand)) return [];
    return operand.filter(isDoc).flatMap((branch) => occurrences(branch, negated || name === '$nor'));
  });
}

function field(operand: Doc, name: string, type: 'string' | 'bool'): Value {
  const value = operand.get(name);
  if (value === undefined && !operand.has(name)) return undefined;
  if (typeAlias(value) === type) return value;
  throw new CodedError('TypeMismatch', `"${name}" had the wrong type. Expected ${type}, found ${typeAlias(value)}`);
}
