import { CodedError } from '../../base/index.ts';
import { BSONRegExp, Int32, type Value } from '../../bson/index.ts';
import { located } from '../error.ts';
import { compileRegex, type Regex } from '../regex/index.ts';
import { sizeOfValue } from '../size.ts';
import { type Found, isNullish, typeName, valueText } from '../value.ts';
import { sized } from './text-size.ts';
import {
  constantValue,
  type Expression,
  folded,
  namedExpressions,
  type Operator,
  type Operators,
  type Scope,
  type Signature,
} from './types.ts';

/** Texts in texts, by named arguments. */
export const stringSearch: Operators = {
  $trim: trimmer(true, true),
  $ltrim: trimmer(true, false),
  $rtrim: trimmer(false, true),
  $replaceOne: replacer((text, find, by) => text.replace(find, () => by)),
  $replaceAll: replacer((text, find, by) =>
    find === '' ? `${by}${[...text].map((char) => char + by).join('')}` : text.replaceAll(find, () => by),
  ),
  $regexMatch: regexOperator(false, (regex, text) => regex.test(text)),
  $regexFind: regexOperator(null, (regex, text) => {
    const match = regex.exec(text);
    return match ? found(match, codePoints(text, 0, match.index)) : null;
  }),
  $regexFindAll: regexOperator([], findAll),
};

/** Whitespace as `$trim` counts it when no characters are given. */
const SPACES = '\0 \t\n\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a';

const TRIM: Signature = {
  required: { input: 50695 },
  optional: ['chars'],
  notObject: 50696,
  unknown: 50694,
  wording: 'specified',
  words: {
    notObject: (name, type) => `${name} only supports an object as an argument, found ${type}`,
    missing: (name, key) => `${name} requires an '${key}' field`,
  },
};

function trimmer(left: boolean, right: boolean): Operator {
  return (operand, compiler, name) => {
    const args = namedExpressions(name, operand, compiler, TRIM, 'input', 'chars');
    return folded([args.input, args.chars], (scope) => {
      const value = args.input!(scope);
      if (isNullish(value)) return null;
      const text = trimArgument(value, 50699, `${name} requires its input`);
      const given = args.chars ? args.chars(scope) : SPACES;
      if (isNullish(given)) return null;
      const set = new Set(trimArgument(given, 50700, `${name} requires 'chars'`));
      let [from, to] = [0, text.length];
      for (let char = first(text, from); left && set.has(char); char = first(text, from)) from += char.length;
      for (let char = last(text, to); right && to > from && set.has(char); char = last(text, to)) to -= char.length;
      return text.slice(from, to);
    });
  };
}

/** The character that begins at an index; the empty text at the end. */
function first(text: string, from: number): string {
  return text.slice(from, from + ((text.codePointAt(from) ?? 0) > 0xffff ? 2 : 1));
}

/** The character that ends before an index. */
function last(text: string, to: number): string {
  const pair = text.slice(Math.max(0, to - 2), to);
  return (pair.codePointAt(0) ?? 0) > 0xffff ? pair : pair.slice(-1);
}

function trimArgument(value: Found, code: number, what: string): string {
  if (typeof value === 'string') return value;
  throw located(code, `${what} to be a string, got ${valueText(value)} (of type ${typeName(value)}) instead.`);
}

const REPLACEMENT = { input: 51749, find: 51748, replacement: 51747 };
const REPLACE: Signature = { required: REPLACEMENT, notObject: 51751, unknown: 51750, wording: 'specified' };

function replacer(apply: (text: string, find: string, by: string) => string): Operator {
  return (operand, compiler, name) => {
    const args = namedExpressions(name, operand, compiler, REPLACE, 'input', 'find', 'replacement');
    return folded(Object.values(args), (scope) => {
      const text = replaceArgument(name, 'input', 51746, args.input!(scope));
      const find = replaceArgument(name, 'find', 51745, args.find!(scope));
      const by = replaceArgument(name, 'replacement', 51744, args.replacement!(scope));
      return text === null || find === null || by === null ? null : sized(apply(text, find, by));
    });
  };
}

function replaceArgument(name: string, key: string, code: number, value: Found): string | null {
  if (isNullish(value)) return null;
  if (typeof value === 'string') return value;
  throw located(code, `${name} requires that '${key}' be a string, found: ${valueText(value)}`);
}

const REGEX: Signature = {
  required: { input: 31022, regex: 31023 },
  optional: ['options'],
  notObject: 51103,
  unknown: 31024,
  wording: 'specified',
  words: {
    notObject: (name, type) => `${name} expects an object of named arguments but found: ${type}`,
    unknown: (name, key) => `${name} found unknown argument: ${key}`,
    missing: (name, key) => `${name} requires '${key}' parameter`,
  },
};

function regexOperator(nothing: Value, apply: (regex: Regex, text: string) => Value): Operator {
  return (operand, compiler, name) => {
    const args = namedExpressions(name, operand, compiler, REGEX, 'input', 'regex', 'options');
    const regexOf = compiledOnce(args.regex!, args.options, name);
    return folded(Object.values(args), (scope) => {
      const value = args.input!(scope);
      const regex = regexOf(scope);
      if (!isNullish(value) && typeof value !== 'string') {
        throw located(51104, `${name} needs 'input' to be of type string`);
      }
      return isNullish(value) || !regex ? nothing : apply(regex, value);
    });
  };
}

/** Undefined where there is no pattern. A pattern that is the same for all documents is compiled once. */
function compiledOnce(
  regex: Expression,
  options: Expression | undefined,
  name: string,
): (scope: Scope) => Regex | undefined {
  const pattern = constantValue(regex);
  const flags = options ? constantValue(options) : { value: null };
  if (!pattern || !flags) return (scope) => regexOf(regex(scope), options ? options(scope) : null, name);
  const known = regexOf(pattern.value, flags.value, name);
  return () => known;
}

function regexOf(pattern: Found, options: Found, name: string): Regex | undefined {
  if (!isNullish(pattern) && typeof pattern !== 'string' && !(pattern instanceof BSONRegExp)) {
    throw located(51105, `${name} needs 'regex' to be of type string or regex`);
  }
  if (!isNullish(options) && typeof options !== 'string') {
    throw located(51106, `${name} needs 'options' to be of type string`);
  }
  const own = pattern instanceof BSONRegExp ? pattern.options : '';
  if (own !== '' && !isNullish(options)) {
    throw located(51107, `${name}: found regex option(s) specified in both 'regex' and 'option' fields`);
  }
  const flags = isNullish(options) ? own : options;
  const source = pattern instanceof BSONRegExp ? pattern.pattern : isNullish(pattern) ? undefined : pattern;
  if (source?.includes('\0')) {
    throw located(51109, `${name}: regular expression cannot contain an embedded null byte`);
  }
  if (flags.includes('\0')) {
    throw located(51110, `${name}: regular expression options cannot contain an embedded null byte`);
  }
  return source === undefined ? undefined : compiled(source, flags, name);
}

function compiled(source: string, flags: string, name: string): Regex {
  try {
    return compileRegex(source, flags, name);
  } catch (error) {
    if (!(error instanceof CodedError) || error.codeName !== 'Location51091') throw error;
    throw located(51111, `Invalid Regex in ${name}: ${error.message.replace('Regular expression is invalid: ', '')}`);
  }
}

/** Where to look on: behind the match, and a code point further behind an empty one. */
function next(match: RegExpExecArray, text: string): number {
  const end = match.index + match[0].length;
  if (match[0] !== '') return end;
  return end + ((text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1);
}

/** About as many bytes as `$regexFindAll` may answer with (`BufferMaxSize`). */
const MAX_FOUND_BYTES = 64 * 1024 * 1024;

function findAll(regex: Regex, text: string): Value[] {
  const all: Value[] = [];
  let bytes = 0;
  // Code points are counted on from the match before: a text of many matches is not read anew for each.
  let counted = 0;
  let points = 0;
  for (let match = regex.exec(text); match; match = regex.exec(text, next(match, text))) {
    points += codePoints(text, counted, match.index);
    counted = match.index;
    const item = found(match, points);
    bytes += sizeOfValue(item);
    if (bytes > MAX_FOUND_BYTES) {
      throw located(51151, '$regexFindAll: the size of buffer to store output exceeded the 64MB limit');
    }
    all.push(item);
    // Nothing can begin at the end of a text that has one, not even an empty match.
    if (next(match, text) >= text.length) break;
  }
  return all;
}

/** `at`: the code points before the match. */
function found(match: RegExpExecArray, at: number): Value {
  return new Map<string, Value>([
    ['match', match[0]],
    ['idx', new Int32(at)],
    ['captures', match.slice(1).map((capture) => capture ?? null)],
  ]);
}

function codePoints(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) count += 1;
  return count;
}
