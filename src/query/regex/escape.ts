import { type CharacterSets, HORIZONTAL, VERTICAL } from './character-sets.ts';
import { type Reader, refused, unsupported } from './reader.ts';

/** What a backslash begins, in the other syntax. What is not quantifiable stands for no characters. */
export interface Escape {
  readonly text: string;
  readonly quantifiable: boolean;
}

export interface Groups {
  /** Capturing groups opened to the left, and in the whole pattern. */
  readonly groups: number;
  readonly groupsInAll: number;
}

/** A character that stands for itself. */
export function literal(char: string): string {
  if (/[A-Za-z0-9_]/.test(char) || char > '\x7f') return char;
  return `\\x{${char.codePointAt(0)!.toString(16)}}`;
}

/** Reads an escape outside of brackets. */
export function readEscape(reader: Reader, sets: CharacterSets, { groups, groupsInAll }: Groups): Escape {
  const atom = (text: string): Escape => ({ text, quantifiable: true });
  const boundary = reader.take(/\\([bB])/y);
  if (boundary) return { text: boundary[1] === 'b' ? sets.boundary : sets.noBoundary, quantifiable: false };
  const anchor = reader.take(/\\[AzZGK]/y);
  if (anchor) return { text: anchor[0], quantifiable: false };
  const named = reader.take(/\\(?:k(?:<(\w+)>|'(\w+)'|\{(\w+)\})|g\{([A-Za-z_]\w*)\})/y);
  if (named) return atom(`\\k<${named[1] ?? named[2] ?? named[3] ?? named[4]}>`);
  const numbered = reader.take(/\\g(?:\{([+-]?)(\d+)\}|([+-]?)(\d+))/y);
  if (numbered) {
    const [sign, digits] = [numbered[1] ?? numbered[3], Number(numbered[2] ?? numbered[4])];
    return atom(
      backReference(sign === '-' ? groups + 1 - digits : sign === '+' ? groups + digits : digits, groupsInAll),
    );
  }
  if (reader.take(/\\g[<']/y)) throw unsupported('recursion and calls of groups');
  const digits = reader.take(/\\([1-9]\d*)/y);
  if (digits) {
    const number = Number(digits[1]);
    if (number < 10 || number <= groupsInAll) return atom(backReference(number, groupsInAll));
    // Too great for a group: octal, if the digits are.
    reader.back(digits[0].length);
  }
  const set = readSet(reader, sets);
  if (set !== undefined) return atom(set);
  if (reader.take(/\\R/y)) return atom('\\R');
  if (reader.take(/\\X/y)) return atom('\\X');
  if (reader.take(/\\N/y)) return atom('[^\\n]');
  if (reader.take(/\\C/y)) throw unsupported('single bytes (\\C)');
  return atom(readCharacter(reader));
}

function backReference(number: number, groupsInAll: number): string {
  if (number < 1 || number > groupsInAll) throw refused('reference to non-existent subpattern');
  return `\\k<${number}>`;
}

/** `\d`, `\W`, `\h`, `\p{Lu}` and their like, as a class; undefined for any other escape. */
export function readSet(reader: Reader, sets: CharacterSets): string | undefined {
  const simple = reader.take(/\\([dDwWsShHvV])/y)?.[1];
  if (simple) {
    const kind = simple.toLowerCase();
    const inside = { d: sets.digit, w: sets.word, s: sets.space, h: HORIZONTAL, v: VERTICAL }[kind];
    return simple === kind ? `[${inside}]` : `[^${inside}]`;
  }
  const property = reader.take(/\\([pP])(?:\{(\^?)\s*([\w&: =-]+)\}|([A-Z]))/y);
  if (!property) {
    if (reader.startsWith('\\p') || reader.startsWith('\\P')) throw refused('malformed \\P or \\p sequence');
    return undefined;
  }
  const [, letter, caret, name = property[4]!] = property;
  const negated = (letter === 'P') !== (caret === '^');
  const own = OWN_PROPERTIES[name];
  if (own) return negated ? `[^${own}]` : `[${own}]`;
  return `\\${negated ? 'P' : 'p'}{${name}}`;
}

const OWN_PROPERTIES: Readonly<Record<string, string>> = {
  'L&': '\\p{Lu}\\p{Ll}\\p{Lt}',
  Xan: '\\p{L}\\p{N}',
  Xwd: '\\p{L}\\p{N}_',
  Xsp: `\\p{Z}${HORIZONTAL}${VERTICAL}`,
  Xps: `\\p{Z}${HORIZONTAL}${VERTICAL}`,
};

const CONTROLS: Readonly<Record<string, string>> = { a: '\x07', e: '\x1b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** An escape that stands for one character, inside brackets or outside. */
export function readCharacter(reader: Reader): string {
  const control = reader.take(/\\([aefnrt])/y);
  if (control) return literal(CONTROLS[control[1]!]!);
  const hex = reader.take(/\\x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{0,2}))/y);
  if (hex) return codePoint(Number.parseInt(hex[1] ?? (hex[2] || '0'), 16));
  const octal = reader.take(/\\(?:o\{([0-7]+)\}|([0-7]{1,3}))/y);
  if (octal) return codePoint(Number.parseInt((octal[1] ?? octal[2])!, 8));
  const key = reader.take(/\\c([\x20-\x7e])/y);
  if (key) return codePoint(key[1]!.toUpperCase().charCodeAt(0) ^ 0x40);
  if (reader.startsWith('\\c')) throw refused('\\c must be followed by a printable ASCII character');
  if (reader.take(/\\[FLlNUu]/y)) throw refused('PCRE2 does not support \\F, \\L, \\l, \\N{name}, \\U, or \\u');
  if (reader.take(/\\[A-Za-z0-9]/y)) throw refused('unrecognized character follows \\');
  reader.accept('\\');
  if (reader.done) throw refused('\\ at end of pattern');
  return literal(reader.char());
}

function codePoint(value: number): string {
  if (value > 0x10ffff) throw refused('character code point value in \\x{} or \\o{} is too large');
  if (value >= 0xd800 && value <= 0xdfff) throw refused('disallowed Unicode code point (>= 0xd800 && <= 0xdfff)');
  return `\\x{${value.toString(16)}}`;
}
