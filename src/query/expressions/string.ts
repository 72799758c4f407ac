import { BSONRegExp, Int32, type Value } from '../../bson/index.ts';
import { located } from '../error.ts';
import { clampedInt, clampedLong, exactLong } from '../number.ts';
import { compileRegex, type Regex } from '../regex/index.ts';
import { type Found, isNullish, isNumeric, textOf, typeName } from '../value.ts';
import { dateText } from './date-text.ts';
import { binary, type Expression, evaluated, namedArguments, type Operator, type Operators, unary } from './types.ts';

export const strings: Operators = {
  $concat: evaluated(0, Number.POSITIVE_INFINITY, (args) => {
    if (args.some(isNullish)) return null;
    return args
      .map((arg) => {
        if (typeof arg !== 'string') throw located(16702, `$concat only supports strings, not ${typeName(arg)}`);
        return arg;
      })
      .join('');
  }),
  $toLower: unary((value, name) => coerced(value, name).replace(/[A-Z]/g, (char) => char.toLowerCase())),
  $toUpper: unary((value, name) => coerced(value, name).replace(/[a-z]/g, (char) => char.toUpperCase())),
  $strcasecmp: binary((left, right, name) => {
    const [a, b] = [coerced(left, name).toUpperCase(), coerced(right, name).toUpperCase()];
    return new Int32(a < b ? -1 : a > b ? 1 : 0);
  }),
  $strLenBytes: unary(
    (value) => new Int32(bytes(string(value, 34473, '$strLenBytes requires a string argument, found: ')).length),
  ),
  $strLenCP: unary(
    (value) => new Int32([...string(value, 34471, '$strLenCP requires a string argument, found: ')].length),
  ),
  $substr: evaluated(3, 3, substringBytes),
  $substrBytes: evaluated(3, 3, substringBytes),
  $substrCP: evaluated(3, 3, ([value, start, count], name) => {
    const from = position(start!, 34450, `${name}: starting index must be a numeric type`);
    const length = position(count!, 34452, `${name}: length must be a numeric type`);
    if (from < 0) throw located(34455, `${name}: the starting index must be nonnegative integer.`);
    if (length < 0) throw located(34454, `${name}: length must be a nonnegative integer.`);
    return [...coerced(value!, name)].slice(from, from + length).join('');
  }),
  $split: binary((value, separator) => {
    if (isNullish(value) || isNullish(separator)) return null;
    const text = string(
      value,
      40085,
      '$split requires an expression that evaluates to a string as a first argument, found: ',
    );
    const by = string(
      separator,
      40086,
      '$split requires an expression that evaluates to a string as a second argument, found: ',
    );
    if (by === '') throw located(40087, '$split requires a non-empty separator');
    return text.split(by);
  }),
  $indexOfBytes: evaluated(2, 4, (args, name) => indexIn(args, name, 'bytes')),
  $indexOfCP: evaluated(2, 4, (args, name) => indexIn(args, name, 'points')),
  $trim: trimmer(true, true),
  $ltrim: trimmer(true, false),
  $rtrim: trimmer(false, true),
  $replaceOne: replacer((text, find, by) => text.replace(find, () => by)),
  $replaceAll: replacer((text, find, by) => text.replaceAll(find, () => by)),
  $regexMatch: regexOperator((regex, text) => regex.test(text)),
  $regexFind: regexOperator((regex, text) => {
    const match = regex.exec(text);
    return match ? found(match, text) : null;
  }),
  $regexFindAll: regexOperator((regex, text) => {
    const all: Value[] = [];
    for (let match = regex.exec(text); match; match = regex.exec(text, next(match, text))) {
      all.push(found(match, text));
      if (next(match, text) > text.length) break;
    }
    return all;
  }),
};

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8');

function bytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** What the case and substring operators take: nothing is the empty string, numbers and dates are printed. */
function coerced(value: Found, name: string): string {
  if (isNullish(value)) return '';
  const text = textOf(value);
  if (text !== undefined) return text;
  if (value instanceof Int32) return String(value.value);
  if (value instanceof Date) return dateText(value);
  if (isNumeric(value)) return value.toString();
  throw located(16007, `can't convert from BSON type ${typeName(value)} to String in ${name}`);
}

function string(value: Found, code: number, message: string): string {
  if (typeof value !== 'string') throw located(code, message + typeName(value));
  return value;
}

function position(value: Found, code: number, message: string): number {
  if (!isNumeric(value)) throw located(code, `${message} (is BSON type ${typeName(value)})`);
  const long = exactLong(value);
  if (long === undefined)
    throw located(code + 1, `${message.split(' must')[0]} cannot be represented as a 32-bit integral value`);
  return clampedInt(long);
}

function substringBytes([value, start, count]: readonly Found[], name: string): string {
  if (!isNumeric(start!)) {
    throw located(16034, `${name}:  starting index must be a numeric type (is BSON type ${typeName(start!)})`);
  }
  if (!isNumeric(count!))
    throw located(16035, `${name}:  length must be a numeric type (is BSON type ${typeName(count!)})`);
  const text = bytes(coerced(value!, name));
  const from = Number(clampedLong(start));
  if (from < 0) throw located(50752, `${name}:  starting index must be non-negative (got: ${from})`);
  const length = Number(clampedLong(count));
  const to = length < 0 ? text.length : Math.min(text.length, from + length);
  if (isContinuation(text[from]))
    throw located(28656, `${name}:  Invalid range, starting index is a UTF-8 continuation byte.`);
  if (isContinuation(text[to])) {
    throw located(28657, `${name}:  Invalid range, ending index is in the middle of a UTF-8 character.`);
  }
  return from >= text.length ? '' : decoder.decode(text.subarray(from, to));
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function indexIn([value, search, start, stop]: readonly Found[], name: string, unit: 'bytes' | 'points'): Found {
  if (isNullish(value!)) return null;
  const text = string(value!, 40091, `${name} requires a string as the first argument, found: `);
  const wanted = string(search!, 40092, `${name} requires a string as the second argument, found: `);
  const split = (part: string): readonly (string | number)[] => (unit === 'bytes' ? [...bytes(part)] : [...part]);
  const [inside, needle] = [split(text), split(wanted)];
  const from = start === undefined ? 0 : indexBound(start, name, 'starting');
  const to = stop === undefined ? inside.length : Math.min(indexBound(stop, name, 'ending'), inside.length);
  for (let at = from; at + needle.length <= to; at++) {
    if (needle.every((part, i) => part === inside[at + i])) return new Int32(at);
  }
  return new Int32(-1);
}

function indexBound(value: Found, name: string, which: string): number {
  const long = isNumeric(value) ? exactLong(value) : undefined;
  if (long === undefined)
    throw located(40096, `${name} requires an integral ${which} index, found a value of type: ${typeName(value)}`);
  if (long < 0n) throw located(40097, `${name} requires a nonnegative ${which} index, found: ${long}`);
  return clampedInt(long);
}

/** Whitespace as `$trim` counts it when no characters are given. */
const SPACES = '\0 \t\n\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a';

function trimmer(left: boolean, right: boolean): Operator {
  return (operand, compiler, name) => {
    const args = namedArguments(name, operand, ['input'], ['chars'], 50696);
    const input = compiler.compile(args.get('input'));
    const chars = args.has('chars') ? compiler.compile(args.get('chars')) : undefined;
    return (scope) => {
      const value = input(scope);
      const given = chars?.(scope);
      if (isNullish(value) || (chars && isNullish(given!))) return null;
      const text = [...string(value, 50699, `${name} requires its input to be a string, got `)];
      const set = new Set(chars ? string(given!, 50700, `${name} requires 'chars' to be a string, got `) : SPACES);
      let [from, to] = [0, text.length];
      while (left && from < to && set.has(text[from]!)) from += 1;
      while (right && to > from && set.has(text[to - 1]!)) to -= 1;
      return text.slice(from, to).join('');
    };
  };
}

function replacer(apply: (text: string, find: string, by: string) => string): Operator {
  return (operand, compiler, name) => {
    const args = namedArguments(name, operand, ['input', 'find', 'replacement'], [], 51751);
    const parts = ['input', 'find', 'replacement'].map((key) => compiler.compile(args.get(key)));
    return (scope) => {
      const values = parts.map((part) => part(scope));
      const [text, find, by] = values.map((value, i) => {
        if (isNullish(value)) return '';
        return string(
          value,
          [51746, 51745, 51744][i]!,
          `${name} requires that '${['input', 'find', 'replacement'][i]}' be a string, found: `,
        );
      });
      return values.some(isNullish) ? null : apply(text!, find!, by!);
    };
  };
}

function regexOperator(apply: (regex: Regex, text: string) => Value): Operator {
  return (operand, compiler, name): Expression => {
    const args = namedArguments(name, operand, ['input', 'regex'], ['options'], 51103);
    const input = compiler.compile(args.get('input'));
    const regex = compiler.compile(args.get('regex'));
    const options = args.has('options') ? compiler.compile(args.get('options')) : undefined;
    return (scope) => {
      const value = input(scope);
      const pattern = regex(scope);
      const flags = options?.(scope);
      if (isNullish(value) || isNullish(pattern))
        return name === '$regexMatch' ? false : name === '$regexFind' ? null : [];
      const text = string(value, 51104, `${name} needs 'input' to be of type string, got `);
      return apply(expressionRegex(pattern, flags, name), text);
    };
  };
}

/** Where to look on: behind the match, and a code point further behind an empty one. */
function next(match: RegExpExecArray, text: string): number {
  const end = match.index + match[0].length;
  if (match[0] !== '') return end;
  return end + ((text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1);
}

function expressionRegex(pattern: Found, flags: Found, name: string): Regex {
  const given =
    flags === undefined || isNullish(flags)
      ? ''
      : string(flags, 51106, `${name} needs 'options' to be of type string, got `);
  if (pattern instanceof BSONRegExp) {
    if (given && pattern.options) {
      throw located(51107, `${name}: found regex option(s) specified in both 'regex' and 'option' fields`);
    }
    return compileRegex(pattern.pattern, given || pattern.options, name);
  }
  return compileRegex(string(pattern, 51105, `${name} needs 'regex' to be of type string or regex, got `), given, name);
}

function found(match: RegExpExecArray, text: string): Value {
  const before = text.slice(0, match.index);
  return new Map<string, Value>([
    ['match', match[0]],
    ['idx', new Int32([...before].length)],
    ['captures', match.slice(1).map((capture) => capture ?? null)],
  ]);
}
