/** What stands inside brackets for PCRE's classes. `(*UCP)` in front of a pattern makes them Unicode's. */
export interface CharacterSets {
  readonly digit: string;
  readonly word: string;
  readonly space: string;
  readonly posix: Readonly<Record<string, string>>;
  /** Where a word begins or ends, and where none does: stand outside brackets. */
  readonly boundary: string;
  readonly noBoundary: string;
}

export const HORIZONTAL = '\\t \\x{A0}\\x{1680}\\x{180E}\\x{2000}-\\x{200A}\\x{202F}\\x{205F}\\x{3000}';
export const VERTICAL = '\\n\\x{0B}\\f\\r\\x{85}\\x{2028}\\x{2029}';

const ASCII: CharacterSets = {
  digit: '0-9',
  word: 'A-Za-z0-9_',
  space: ' \\t\\n\\x{0B}\\f\\r',
  posix: {
    alpha: 'a-zA-Z',
    digit: '0-9',
    alnum: 'a-zA-Z0-9',
    ascii: '\\x{00}-\\x{7F}',
    upper: 'A-Z',
    lower: 'a-z',
    space: ' \\t\\n\\x{0B}\\f\\r',
    blank: ' \\t',
    punct: '!-\\/:-@\\[-`\\{-\\~',
    xdigit: '0-9a-fA-F',
    word: 'a-zA-Z0-9_',
    cntrl: '\\x{00}-\\x{1F}\\x{7F}',
    print: '\\x{20}-\\x{7E}',
    graph: '\\x{21}-\\x{7E}',
  },
  boundary: '\\b',
  noBoundary: '\\B',
};

const UNICODE_WORD = '\\p{L}\\p{N}_';

const UNICODE: CharacterSets = {
  digit: '\\p{Nd}',
  word: UNICODE_WORD,
  space: `\\p{Z}${HORIZONTAL}${VERTICAL}`,
  posix: {
    ...ASCII.posix,
    alpha: '\\p{L}',
    digit: '\\p{Nd}',
    alnum: '\\p{L}\\p{N}',
    upper: '\\p{Lu}',
    lower: '\\p{Ll}',
    space: `\\p{Z}${HORIZONTAL}${VERTICAL}`,
    blank: HORIZONTAL,
    word: UNICODE_WORD,
    cntrl: '\\p{Cc}',
    punct: '\\p{P}$+<=>\\^`|\\~',
    graph: '\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}',
    print: '\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Zs}',
  },
  boundary: `(?:(?<=[${UNICODE_WORD}])(?![${UNICODE_WORD}])|(?<![${UNICODE_WORD}])(?=[${UNICODE_WORD}]))`,
  noBoundary: `(?:(?<=[${UNICODE_WORD}])(?=[${UNICODE_WORD}])|(?<![${UNICODE_WORD}])(?![${UNICODE_WORD}]))`,
};

export function setsFor(unicode: boolean): CharacterSets {
  return unicode ? UNICODE : ASCII;
}

/** What is not in a set, as it stands inside brackets; undefined where that takes brackets of its own. */
export function complementOf(inside: string): string | undefined {
  if (/\\p|\\x\{(?!00|0B|1F|20|7[EF])/.test(inside)) return undefined;
  const members = new RegExp(`[${inside.replace(/\\x\{([0-9A-F]{2})\}/g, '\\x$1')}]`);
  const others = Array.from({ length: 0x80 }, (_, code) => code).filter(
    (code) => !members.test(String.fromCharCode(code)),
  );
  return `${others.map((code) => `\\x{${code.toString(16)}}`).join('')}\\x{80}-\\x{10FFFF}`;
}
