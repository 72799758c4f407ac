import type { BSONRegExp } from '../../bson/index.ts';

/** The texts that a regular expression can find: they begin with `text`, and come before `end`. */
export interface LiteralPrefix {
  readonly text: string;
  readonly end: string;
  /** Every text that begins so matches. */
  readonly whole: boolean;
}

/** What means something else than itself in a pattern. */
const SPECIAL = /[\\^$.[\]|()?*+{}]/;
const QUANTIFIER = /[?*{+]/;

/** The literal text that a pattern such as `^abc` or `\Aabc.*` begins with; undefined where there is none. */
export function literalPrefix({ pattern, options }: BSONRegExp): LiteralPrefix | undefined {
  if (/[imx]/.test(options) || pattern.includes('|')) return undefined;
  const anchor = pattern.startsWith('^') ? 1 : pattern.startsWith('\\A') ? 2 : 0;
  if (anchor === 0) return undefined;
  const characters: string[] = [];
  let at = anchor;
  for (; at < pattern.length; ) {
    const escaped = pattern[at] === '\\' && /[^A-Za-z0-9]/.test(pattern[at + 1] ?? 'a');
    const from = escaped ? at + 1 : at;
    const character = String.fromCodePoint(pattern.codePointAt(from)!);
    if (!escaped && SPECIAL.test(character)) break;
    characters.push(character);
    at = from + character.length;
  }
  // What a quantifier follows may be missing, or come again.
  if (QUANTIFIER.test(pattern[at] ?? '')) characters.pop();
  const text = characters.join('');
  const end = next(characters);
  if (text === '' || end === undefined) return undefined;
  return { text, end, whole: at === pattern.length };
}

const LAST_CODE_POINT = 0x10ffff;
const SURROGATES = { first: 0xd800, after: 0xe000 };

/** The least text above all that begin with these characters. */
function next(characters: readonly string[]): string | undefined {
  for (let last = characters.length - 1; last >= 0; last--) {
    const code = characters[last]!.codePointAt(0)! + 1;
    if (code > LAST_CODE_POINT) continue;
    const following = code === SURROGATES.first ? SURROGATES.after : code;
    return characters.slice(0, last).join('') + String.fromCodePoint(following);
  }
  return undefined;
}
