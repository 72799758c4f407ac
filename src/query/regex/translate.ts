import { type CharacterSets, setsFor } from './character-sets.ts';
import { readClass } from './class.ts';
import { literal, readEscape } from './escape.ts';
import { Reader, refused, unsupported } from './reader.ts';

/** What inline options switch: they hold to the end of their group, through its later alternatives too. */
interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
  readonly x: boolean;
  readonly n: boolean;
  readonly U: boolean;
}

export interface Translation {
  /** Oniguruma's syntax. Only what that shares with PCRE is left in it. */
  readonly pattern: string;
  readonly ignoreCase: boolean;
}

/**
 * Writes a PCRE pattern, read as MongoDB has it (UTF, ASCII classes unless `(*UCP)`), in the syntax of the library that makes JavaScript
 * of it. Anchors, `.`, classes, escapes and options become what means the same without options. Throws
 * Location51091 for what PCRE refuses, NotImplemented for conditions, recursion and the other few that JavaScript cannot do.
 */
export function translate(pattern: string, options: string): Translation {
  const reader = new Reader(pattern);
  let unicode = false;
  for (let verb = reader.take(/\(\*([A-Z0-9_]+)\)/y); verb; verb = reader.take(/\(\*([A-Z0-9_]+)\)/y)) {
    if (verb[1] === 'UCP') unicode = true;
    else if (verb[1] !== 'UTF' && verb[1] !== 'UTF8') throw refused('(*VERB) not recognized or malformed');
  }
  const has = (flag: string) => options.includes(flag);
  const flags: Flags = { i: has('i'), m: has('m'), s: has('s'), x: has('x'), n: false, U: false };
  const text = new Translator(reader, setsFor(unicode)).alternatives(flags, flags.i, 0);
  if (!reader.done) throw refused('unmatched closing parenthesis');
  for (const [, name] of text.matchAll(/\\k<([A-Za-z_]\w*)>/g)) {
    if (!text.includes(`(?<${name}>`)) throw refused('reference to non-existent subpattern');
  }
  return { pattern: text, ignoreCase: flags.i };
}

/** As many groups within groups as PCRE takes (`PARENS_NEST_LIMIT`). */
const MAX_NESTING = 250;

class Translator {
  readonly #reader: Reader;
  readonly #sets: CharacterSets;
  readonly #names = new Set<string>();
  /** Capturing groups opened so far, and in all. */
  #groups = 0;
  readonly #groupsInAll: number;

  constructor(reader: Reader, sets: CharacterSets) {
    this.#reader = reader;
    this.#sets = sets;
    this.#groupsInAll = reader.countGroups();
  }

  /** Up to the end of the group that it stands in. `ignoring`: whether case counts where that group is written. */
  alternatives(outer: Flags, ignoring: boolean, depth: number): string {
    if (depth > MAX_NESTING) throw refused('parentheses are too deeply nested');
    const reader = this.#reader;
    let flags = outer;
    let out = '';
    let sequence = new Sequence(ignoring, flags.i);
    while (!reader.done && reader.next !== ')') {
      if (reader.accept('|')) {
        out += `${sequence.finish()}|`;
        sequence = new Sequence(ignoring, flags.i);
        continue;
      }
      if (flags.x && reader.take(/(?:\s+|#[^\n]*\n?)/y)) continue;
      if (reader.take(/\(\?#[^)]*\)/y) || reader.take(/\\E/y)) continue;
      if (reader.startsWith('(?#')) throw refused('missing ) after (?# comment');
      const changed = reader.take(/\(\?(\^?[imsxnUJ]*(?:-[imsxnU]+)?)\)/y);
      if (changed) {
        flags = changedFlags(flags, changed[1]!);
        sequence.ignoreCase = flags.i;
        continue;
      }
      const quoted = reader.take(/\\Q([\s\S]*?)(?:\\E|$)/y);
      if (quoted) {
        for (const char of quoted[1]!) sequence.atom(literal(char));
        if (quoted[1]) this.#quantify(sequence, flags);
        continue;
      }
      this.#item(sequence, flags, depth);
    }
    return out + sequence.finish();
  }

  #item(sequence: Sequence, flags: Flags, depth: number): void {
    const reader = this.#reader;
    if (reader.next === '(') sequence.atom(this.#group(flags, depth));
    else if (reader.accept('^')) sequence.assertion(flags.m ? '(?:\\A|(?<=\\n)(?!\\z))' : '\\A');
    else if (reader.accept('$')) sequence.assertion(flags.m ? '(?=\\n|\\z)' : '\\Z');
    else if (reader.accept('.')) sequence.atom(flags.s ? '\\O' : '[^\\n]');
    else if (reader.next === '[') sequence.atom(readClass(reader, this.#sets));
    else if (reader.next === '\\') this.#escape(sequence);
    else if (/^[*+?]/.test(reader.next) || reader.quantifier()) {
      throw refused('quantifier does not follow a repeatable item');
    } else sequence.atom(literal(reader.char()));
    this.#quantify(sequence, flags);
  }

  #escape(sequence: Sequence): void {
    const groups = { groups: this.#groups, groupsInAll: this.#groupsInAll };
    const { text, quantifiable } = readEscape(this.#reader, this.#sets, groups);
    if (quantifiable) sequence.atom(text);
    else sequence.assertion(text);
  }

  #quantify(sequence: Sequence, flags: Flags): void {
    const reader = this.#reader;
    if (flags.x) while (reader.take(/(?:\s+|#[^\n]*\n?)/y));
    const quantifier = reader.quantifier();
    if (!quantifier) return;
    const { min, max } = quantifier;
    if (min > MAX_REPEAT || (max !== undefined && max > MAX_REPEAT)) throw refused('number too big in {} quantifier');
    if (max !== undefined && max < min) throw refused('numbers out of order in {} quantifier');
    const mode = reader.take(/[?+]/y)?.[0] ?? '';
    const lazy = mode === '+' ? false : (mode === '?') !== flags.U;
    sequence.quantify(bounds(min, max), lazy && min !== max, mode === '+');
    if (reader.quantifier()) throw refused('quantifier does not follow a repeatable item');
  }

  #group(flags: Flags, depth: number): string {
    const reader = this.#reader;
    const opening = reader.take(/\((?:\?=|\?!|\?<=|\?<!|\?>)/y);
    if (opening) return this.#body(opening[0], flags, flags.i, depth);
    const scoped = reader.take(/\(\?(\^?[imsxnUJ]*(?:-[imsxnU]+)?):/y);
    if (scoped) return this.#body('(?:', changedFlags(flags, scoped[1]!), flags.i, depth);
    const named = reader.take(/\(\?(?:P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')/y);
    if (named) {
      const name = named[1] ?? named[2]!;
      if (this.#names.has(name)) throw refused('two named subpatterns have the same name (PCRE2_DUPNAMES not set)');
      this.#names.add(name);
      this.#groups += 1;
      return this.#body(`(?<${name}>`, flags, flags.i, depth);
    }
    const back = reader.take(/\(\?P=([A-Za-z_]\w*)\)/y);
    if (back) return `\\k<${back[1]}>`;
    if (reader.take(/\(\?(?:R\)|[+-]?\d+\)|&|P>)/y)) throw unsupported('recursion and calls of groups');
    if (reader.startsWith('(?(')) throw unsupported('conditions');
    if (reader.startsWith('(?|')) throw unsupported('groups that reset the numbers of branches');
    if (reader.startsWith('(*')) throw unsupported('verbs within a pattern');
    if (reader.startsWith('(?')) throw refused('unrecognized character after (? or (?-');
    reader.accept('(');
    if (!flags.n) this.#groups += 1;
    return this.#body(flags.n ? '(?:' : '(', flags, flags.i, depth);
  }

  /** The reader stands behind the opening. */
  #body(opening: string, flags: Flags, ignoring: boolean, depth: number): string {
    const inside = this.alternatives(flags, ignoring, depth + 1);
    if (!this.#reader.accept(')')) throw refused('missing closing parenthesis');
    return `${opening}${inside})`;
  }
}

const MAX_REPEAT = 65535;

function bounds(min: number, max: number | undefined): string {
  if (max === undefined) return min === 0 ? '*' : min === 1 ? '+' : `{${min},}`;
  if (min === 0 && max === 1) return '?';
  return min === max ? `{${min}}` : `{${min},${max}}`;
}

function changedFlags(flags: Flags, text: string): Flags {
  const [on = '', off = ''] = text.replace('^', '').split('-');
  const base: Flags = text.startsWith('^') ? { ...flags, i: false, m: false, s: false, x: false, n: false } : flags;
  const set = Object.fromEntries([...on.replace('J', '')].map((flag) => [flag, true]));
  return { ...base, ...set, ...Object.fromEntries([...off].map((flag) => [flag, false])) };
}

/** One alternative as it is written, in runs of atoms that agree about case. */
class Sequence {
  ignoreCase: boolean;
  readonly #outside: boolean;
  #out = '';
  #run = '';
  #runIgnores: boolean;
  /** Where the last atom of the run begins. Undefined: nothing to repeat. */
  #last: number | undefined;

  constructor(outside: boolean, ignoreCase: boolean) {
    this.#outside = outside;
    this.ignoreCase = ignoreCase;
    this.#runIgnores = ignoreCase;
  }

  atom(text: string): void {
    this.#start();
    this.#last = this.#run.length;
    this.#run += text;
  }

  assertion(text: string): void {
    this.#start();
    this.#last = undefined;
    this.#run += text;
  }

  quantify(bounds: string, lazy: boolean, possessive: boolean): void {
    if (this.#last === undefined) throw refused('quantifier does not follow a repeatable item');
    const atom = this.#run.slice(this.#last);
    // An assertion repeated is wrapped: the library repeats groups only.
    const repeated = `${/^\(\?(?:=|!|<=|<!)/.test(atom) ? `(?:${atom})` : atom}${bounds}${lazy ? '?' : ''}`;
    this.#run = this.#run.slice(0, this.#last) + (possessive ? `(?>${repeated})` : repeated);
    this.#last = undefined;
  }

  finish(): string {
    this.#flush();
    return this.#out;
  }

  #start(): void {
    if (this.#runIgnores === this.ignoreCase) return;
    this.#flush();
    this.#runIgnores = this.ignoreCase;
  }

  #flush(): void {
    if (this.#run === '') return;
    if (this.#runIgnores === this.#outside) this.#out += this.#run;
    else this.#out += `${this.#runIgnores ? '(?i:' : '(?-i:'}${this.#run})`;
    this.#run = '';
    this.#last = undefined;
  }
}
