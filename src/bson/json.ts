import { Int32 } from 'bson';
import { CodedError } from '../base/index.ts';
import { MAX_DEPTH } from './types.ts';
import type { Doc, Value } from './values.ts';

/** A code with scope takes two levels of JSON for one of BSON, and a type's wrapper three at the leaves. */
const MAX_JSON_DEPTH = 2 * MAX_DEPTH + 3;

/** Space, tab, line feed, carriage return. */
const SPACES: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** Text without escapes, and printable, so that nothing about it can be wrong. */
const PLAIN = /^[ -[\]-~]*$/;
/** Printable or not, everything between two quotes; whether the escapes are right is for JSON.parse to say. */
const STRING = /"(?:[^"\\]|\\.)*"/sy;

/**
 * Reads one JSON text (RFC 8259) into documents, which keep the order of all names where JSON.parse would sort those
 * that look like numbers. An integer is an int32, else an int64, else a double; a number with a point or an exponent is
 * a double. Throws `FailedToParse`, also where a name comes twice.
 */
export function parseJson(text: string): Value {
  const reader = new JsonReader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): Value {
    if (depth > MAX_JSON_DEPTH) this.#fail('too many levels');
    this.#skipSpace();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#fail('more than one value');
  }

  #object(depth: number): Doc {
    const doc: Doc = new Map();
    this.#at++;
    if (this.#took('}')) return doc;
    do {
      this.#skipSpace();
      const name = this.#string();
      if (doc.has(name)) this.#fail('a name comes twice');
      if (!this.#took(':')) this.#fail('expected ":"');
      doc.set(name, this.value(depth + 1));
    } while (this.#took(','));
    return this.#took('}') ? doc : this.#fail('expected "," or "}"');
  }

  #array(depth: number): Value[] {
    const values: Value[] = [];
    this.#at++;
    if (this.#took(']')) return values;
    do values.push(this.value(depth + 1));
    while (this.#took(','));
    return this.#took(']') ? values : this.#fail('expected "," or "]"');
  }

  #string(): string {
    if (this.#text[this.#at] !== '"') this.#fail('expected a string');
    const plain = this.#text.slice(this.#at + 1, this.#text.indexOf('"', this.#at + 1));
    if (PLAIN.test(plain) && this.#text[this.#at + 1 + plain.length] === '"') {
      this.#at += plain.length + 2;
      return plain;
    }
    const quoted = this.#match(STRING) ?? this.#fail('expected a string');
    try {
      return JSON.parse(quoted);
    } catch {
      return this.#fail('a string has a wrong escape');
    }
  }

  #number(): Value {
    const digits = this.#match(NUMBER) ?? this.#fail('expected a value');
    const number = Number(digits);
    if (/[.eE]/.test(digits)) return number;
    if ((number | 0) === number && !Object.is(number, -0)) return new Int32(number);
    const integer = BigInt(digits);
    return Object.is(number, -0) || integer !== BigInt.asIntN(64, integer) ? number : integer;
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#fail('expected a value');
    this.#at += word.length;
    return value;
  }

  /** Takes the character, with the space in front of it, if it comes next. */
  #took(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    while (SPACES.has(this.#text.charCodeAt(this.#at))) this.#at++;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #fail(expected: string): never {
    throw new CodedError('FailedToParse', `JSON at ${this.#at}: ${expected}`);
  }
}
