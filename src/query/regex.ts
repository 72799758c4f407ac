import { badValue, located } from './error.ts';

/**
 * PCRE patterns, as MongoDB reads them, made into JavaScript's. What is translated: the options i m s x, options in
 * front of the pattern (`(?i)`), anchors (`$` also before a last newline, \A \z \Z), `.` and `\s` as PCRE counts
 * newlines and spaces, POSIX classes, `(?P<name>`, \h, \R, \e, \a and \Q..\E. What differs: possessive quantifiers,
 * atomic groups, recursion, conditionals and `\K` are refused as invalid; \b and case folding are JavaScript's.
 */
export function compileRegex(pattern: string, options: string): RegExp {
  for (const option of options) {
    if (!'imsxu'.includes(option)) throw located(51108, `invalid flag in regex options: ${option}`);
  }
  if (pattern.includes('\0')) throw badValue('Regular expression cannot contain an embedded null byte');
  const flags = new Set(options);
  const leading = /^\(\?([imsx]+)\)/.exec(pattern);
  for (const flag of leading?.[1] ?? '') flags.add(flag);
  const source = translate(pattern.slice(leading?.[0].length ?? 0), flags);
  const insensitive = flags.has('i') ? 'i' : '';
  try {
    return new RegExp(source, `${insensitive}u`);
  } catch {
    // The Unicode mode refuses escapes that PCRE takes (\-, \_): without it they are the character itself.
    return compileLoosely(source, insensitive);
  }
}

function compileLoosely(source: string, flags: string): RegExp {
  try {
    return new RegExp(source, flags);
  } catch (error) {
    throw located(51091, `Regular expression is invalid: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const SPACES = ' \\t\\n\\v\\f\\r';
const POSIX: Readonly<Record<string, string>> = {
  alpha: 'a-zA-Z',
  digit: '0-9',
  alnum: 'a-zA-Z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: SPACES,
  blank: ' \\t',
  punct: '!-\\/:-@\\[-`{-~',
  xdigit: '0-9a-fA-F',
  word: 'a-zA-Z0-9_',
  cntrl: '\\x00-\\x1f\\x7f',
  print: ' -~',
  graph: '!-~',
};
const ESCAPES: Readonly<Record<string, string>> = {
  A: '(?<![\\s\\S])',
  z: '(?![\\s\\S])',
  Z: '(?=\\n?(?![\\s\\S]))',
  s: `[${SPACES}]`,
  S: `[^${SPACES}]`,
  h: '[ \\t]',
  H: '[^ \\t]',
  R: '(?:\\r\\n|[\\n\\v\\f\\r])',
  N: '[^\\n]',
  e: '\\x1b',
  a: '\\x07',
};
const CLASS_ESCAPES: Readonly<Record<string, string>> = { s: SPACES, h: ' \\t', e: '\\x1b', a: '\\x07' };

function translate(pattern: string, flags: ReadonlySet<string>): string {
  let out = '';
  for (let at = 0; at < pattern.length; ) {
    const rest = pattern.slice(at);
    const [taken, text] = token(rest, flags);
    out += text;
    at += taken;
  }
  return out;
}

/** How many characters of `rest` the next token takes, and what stands for it. */
function token(rest: string, flags: ReadonlySet<string>): [number, string] {
  const [char, next] = [rest[0]!, rest[1] ?? ''];
  switch (char) {
    case '\\': {
      if (next === 'Q') {
        const end = rest.indexOf('\\E', 2);
        const literal = rest.slice(2, end < 0 ? rest.length : end);
        return [end < 0 ? rest.length : end + 2, literal.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')];
      }
      const point = /^\\x\{([0-9a-fA-F]+)\}/.exec(rest);
      if (point) return [point[0].length, `\\u{${point[1]}}`];
      return [2, ESCAPES[next] ?? char + next];
    }
    case '[':
      return characterClass(rest);
    case '.':
      return [1, flags.has('s') ? '[\\s\\S]' : '[^\\n]'];
    case '^':
      return [1, flags.has('m') ? '(?<![^\\n])' : '(?<![\\s\\S])'];
    case '$':
      return [1, flags.has('m') ? '(?=\\n|(?![\\s\\S]))' : '(?=\\n?(?![\\s\\S]))'];
    case '(': {
      if (rest.startsWith('(?P<')) return [4, '(?<'];
      const comment = /^\(\?#[^)]*\)/.exec(rest);
      return comment ? [comment[0].length, ''] : [1, char];
    }
  }
  if (flags.has('x')) {
    if (/\s/.test(char)) return [1, ''];
    if (char === '#') return [/^#[^\n]*\n?/.exec(rest)![0].length, ''];
  }
  return [1, char];
}

/** A bracketed class. A `]` right after the opening is a member, as in PCRE. */
function characterClass(rest: string): [number, string] {
  const negated = rest[1] === '^';
  let at = negated ? 2 : 1;
  let out = negated ? '[^' : '[';
  for (let first = true; at < rest.length; first = false) {
    const char = rest[at]!;
    if (char === ']' && !first) return [at + 1, `${out}]`];
    const posix = /^\[:(\w+):\]/.exec(rest.slice(at));
    if (posix && POSIX[posix[1]!]) {
      out += POSIX[posix[1]!];
      at += posix[0].length;
    } else if (char === '\\') {
      const next = rest[at + 1] ?? '';
      out += CLASS_ESCAPES[next] ?? char + next;
      at += 2;
    } else {
      out += char === '[' || char === ']' ? `\\${char}` : char;
      at += 1;
    }
  }
  throw located(51091, 'Regular expression is invalid: missing terminating ] for character class');
}
