import { type OnigurumaAst, parse } from 'oniguruma-parser/parser';
import { toRegExp } from 'oniguruma-to-es';
import { CodedError } from '../../base/index.ts';
import { badValue, located } from '../error.ts';
import { type Cost, costOf } from './cost.ts';
import { execGuarded } from './guard.ts';
import { hasFixedLookbehinds } from './lookbehind.ts';
import { refused } from './reader.ts';
import { relaxedPattern } from './relaxed.ts';
import { type Translation, translate } from './translate.ts';

export { MATCH_LIMIT_MS } from './guard.ts';

/**
 * A compiled PCRE pattern. A match that could run away is stopped after `MATCH_LIMIT_MS`, with Location51156; one that
 * cannot is as fast as JavaScript's own.
 */
export interface Regex {
  test(text: string): boolean;
  /** The first match at or after an index in UTF-16 units. */
  exec(text: string, from?: number): RegExpExecArray | null;
}

/** PCRE2 as MongoDB builds it takes no more bytes of pattern. */
const MAX_PATTERN_BYTES = 32764;

/** Compiled patterns are kept: `$regexMatch` comes with the same one for every document. */
const MAX_KEPT = 500;
const kept = new Map<string, Regex>();

/**
 * Compiles a pattern with MongoDB's options (i m s x u). `operator` is who asks, for messages. Throws Location51091 for
 * what is no pattern, Location51108 for other options, NotImplemented for what JavaScript cannot do.
 */
export function compileRegex(pattern: string, options: string, operator = ''): Regex {
  const key = `${options}/${operator}/${pattern}`;
  const found = kept.get(key);
  if (found) return found;
  for (const option of options) {
    if (!'imsxu'.includes(option)) throw located(51108, `${operator} invalid flag in regex options: ${option}`);
  }
  if (pattern.includes('\0')) throw badValue('Regular expression cannot contain an embedded null byte');
  if (Buffer.byteLength(pattern) > MAX_PATTERN_BYTES) {
    throw refused('pattern string is longer than the limit set by the application');
  }
  const regex = isPlain(pattern, options) ? plain(pattern, options) : general(pattern, options, operator);
  if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value!);
  kept.set(key, regex);
  return regex;
}

/** What most patterns are: letters to look for, perhaps tied to the beginning. */
const PLAIN = /^\^?[\w \-@:,;/!%&=~'"<>]*$/;

function isPlain(pattern: string, options: string): boolean {
  return PLAIN.test(pattern) && !options.includes('x') && !(pattern.startsWith('^') && options.includes('m'));
}

function plain(pattern: string, options: string): Regex {
  const flags = options.includes('i') ? 'iu' : 'u';
  const regex = new RegExp(pattern, flags);
  const search = new RegExp(pattern, `g${flags}`);
  return { test: (text) => regex.test(text), exec: (text, from = 0) => execFrom(search, text, from) };
}

function execFrom(search: RegExp, text: string, from: number): RegExpExecArray | null {
  search.lastIndex = from;
  return search.exec(text);
}

/** What a native match may cost at most, in steps of the engine: some ten milliseconds. */
const CHEAP_STEPS = 2_000_000;

/** Whether a match in this text is cheap. */
function limitOf({ degree, factor }: Cost): (text: string) => boolean {
  if (factor > CHEAP_STEPS) return () => false;
  const length = degree === 0 ? Number.POSITIVE_INFINITY : (CHEAP_STEPS / factor) ** (1 / degree);
  return (text) => text.length <= length;
}

function general(pattern: string, options: string, operator: string): Regex {
  const translation = translate(pattern, options);
  const { ast, regex } = compile(translation);
  const isCheap = limitOf(costOf(ast));
  // To look on from a place an expression must be global, and those are slower to test.
  let search: RegExp | undefined;
  let isHopeless: ((text: string) => boolean) | undefined;
  const guarded = (by: RegExp, text: string) => {
    isHopeless ??= hopelessness(ast, translation);
    return isHopeless(text) ? null : execGuarded(by, text, operator || '$regex');
  };
  return {
    test: (text) => (isCheap(text) ? regex.test(text) : guarded(regex, text) !== null),
    exec(text, from = 0) {
      search ??= javascript(translation, true);
      if (isCheap(text)) return execFrom(search, text, from);
      search.lastIndex = from;
      return guarded(search, text);
    },
  };
}

/** Tells cheaply of most texts that the pattern does not find itself in them: a guarded match costs a hundred times as much. */
function hopelessness(ast: OnigurumaAst, { ignoreCase }: Translation): (text: string) => boolean {
  const relaxed = relaxedPattern(ast);
  if (!relaxed) return () => false;
  const isCheap = limitOf(costOf(relaxed.ast));
  const regex = javascript({ pattern: relaxed.pattern, ignoreCase }, false);
  return (text) => isCheap(text) && !regex.test(text);
}

const RULES = { captureGroup: true, allowOrphanBackrefs: true, asciiWordBoundaries: true };

function compile({ pattern, ignoreCase }: Translation): { ast: OnigurumaAst; regex: RegExp } {
  const flags = ignoreCase ? 'i' : '';
  try {
    const ast = parse(pattern, { flags, rules: RULES, skipBackrefValidation: true });
    if (!hasFixedLookbehinds(ast.body)) throw refused('lookbehind assertion is not fixed length');
    return { ast, regex: javascript({ pattern, ignoreCase }, false) };
  } catch (error) {
    if (error instanceof CodedError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw refused(/property/i.test(reason) ? 'unknown property after \\P or \\p' : reason);
  }
}

/**
 * The older target makes expressions with the flag `u`. Those with `v`, which only classes within classes need, are wrong
 * in Node.js 20: `/(?:[^x]b)+/v` finds nothing in `ab`.
 */
function javascript({ pattern, ignoreCase }: Translation, global: boolean): RegExp {
  const options = { flags: ignoreCase ? 'i' : '', rules: RULES, global };
  try {
    return toRegExp(pattern, { ...options, target: 'ES2018' });
  } catch {
    return toRegExp(pattern, { ...options, target: 'ES2024' });
  }
}
