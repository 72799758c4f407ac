import { Buffer } from 'node:buffer';
import { Int32 } from 'bson';
import { readValue } from './decode.ts';
import { MIN_KEY_BYTE, TYPE } from './types.ts';
import type { Doc, Value } from './values.ts';

/** A document's bytes as a string of a character a byte (`latin1`): how documents are kept in memory. */
export type KeptDoc = string;

/** Of a string's value beside its characters: the length before, NUL behind. */
const STRING_BYTES = 5;
const VARIABLE = -1;
/** Bytes of the values of each type; `VARIABLE` where the value itself says, or where there is no such type. */
const SIZES = new Int8Array(256).fill(VARIABLE);
for (const type of [TYPE.undefined, TYPE.null, MIN_KEY_BYTE, TYPE.maxKey]) SIZES[type] = 0;
for (const type of [TYPE.double, TYPE.date, TYPE.timestamp, TYPE.long]) SIZES[type] = 8;
SIZES[TYPE.bool] = 1;
SIZES[TYPE.int] = 4;
SIZES[TYPE.objectId] = 12;
SIZES[TYPE.decimal] = 16;

const scratch = new DataView(new ArrayBuffer(8));

/**
 * Finds a field of a kept document and reads it, without making bytes of the document. It is for matching many
 * documents: one finder serves all. What is kept was walked and found whole on its way in; where it is not as it should be
 * all the same, the answer is `unreadable`, and it is for `decode` to say what is wrong.
 */
export class KeptFinder {
  type: number = 0;
  #text: KeptDoc = '';
  /** Of the value found last. */
  #start = 0;
  #end = 0;

  /** The first field of that name (its UTF-8 as `latin1`) in the document. */
  find(text: KeptDoc, name: string): 'found' | 'absent' | 'unreadable' {
    this.#text = text;
    this.type = 0;
    const { length } = text;
    // The document's own length, its low byte alone: a text that was cut short is the one fault to look out for.
    if (text.charCodeAt(0) !== (length & 0xff)) return 'unreadable';
    return this.#findFrom(0, length - 1, name);
  }

  /** The same in the document that was found last. */
  findWithin(name: string): 'found' | 'absent' | 'unreadable' {
    return this.#findFrom(this.#start, this.#end - 1, name);
  }

  /** The fields of these names, read; what follows the last of them is not looked at. Undefined where it is unreadable. */
  fields(text: KeptDoc, names: readonly string[]): Doc | undefined {
    this.#text = text;
    const doc: Doc = new Map();
    const last = int32(text, 0) - 1;
    if (!(last < text.length)) return undefined;
    let at = 4;
    while (at < last && doc.size < names.length) {
      const type = text.charCodeAt(at++);
      const nameStart = at;
      while (text.charCodeAt(at) > 0) at++;
      const name = wanted(text, nameStart, at, names);
      at++;
      const fixed = SIZES[type]!;
      const end = at + (fixed === VARIABLE ? this.#size(type, at) : fixed);
      if (!(end <= last)) return undefined;
      if (name !== undefined && !doc.has(name)) doc.set(name, this.#read(type, at, end));
      at = end;
    }
    return doc;
  }

  #findFrom(start: number, last: number, name: string): 'found' | 'absent' | 'unreadable' {
    const text = this.#text;
    const { length } = name;
    let at = start + 4;
    while (at < last) {
      const type = text.charCodeAt(at++);
      // One native call for a whole name: a character at a time takes longer from four on (measured on Node 20).
      const nameEnd = text.indexOf('\0', at);
      if (nameEnd < at) return 'unreadable';
      const found = nameEnd - at === length && text.startsWith(name, at);
      at = nameEnd + 1;
      const fixed = SIZES[type]!;
      const end = at + (fixed === VARIABLE ? this.#size(type, at) : fixed);
      // Whatever is read past the text is NaN, and no comparison holds for that.
      if (!(end <= last)) return 'unreadable';
      if (found) {
        this.type = type;
        this.#start = at;
        this.#end = end;
        return 'found';
      }
      at = end;
    }
    return 'absent';
  }

  /** NaN where it cannot be told. */
  #size(type: number, start: number): number {
    const size = int32(this.#text, start);
    if (!(size >= 0)) return Number.NaN;
    switch (type) {
      case TYPE.string:
      case TYPE.javascript:
      case TYPE.symbol:
        return 4 + size;
      case TYPE.object:
      case TYPE.array:
      case TYPE.javascriptWithScope:
        return size;
      case TYPE.binData:
        return 5 + size;
      default:
        return Number.NaN;
    }
  }

  /** Whether these bytes (as `latin1`) stand anywhere in the value found last. */
  holds(bytes: string): boolean {
    return this.#text.slice(this.#start, this.#end).includes(bytes);
  }

  /** Whether the value found last, a string, is this one; in ASCII. */
  isText(text: string): boolean {
    return this.#end - this.#start === text.length + STRING_BYTES && this.#text.startsWith(text, this.#start + 4);
  }

  /** The value found last. With `plain`, an int32 as the number that it is. */
  value(plain = false): Value {
    if (plain && this.type === TYPE.int) return int32(this.#text, this.#start);
    return this.#read(this.type, this.#start, this.#end);
  }

  #read(type: number, start: number, end: number): Value {
    const text = this.#text;
    switch (type) {
      case TYPE.int:
        return new Int32(int32(text, start));
      case TYPE.double:
        scratch.setInt32(0, int32(text, start), true);
        scratch.setInt32(4, int32(text, start + 4), true);
        return scratch.getFloat64(0, true);
      case TYPE.string:
        if (isAscii(text, start + 4, end - 1)) return text.slice(start + 4, end - 1);
        break;
      case TYPE.array:
        return this.#elements(start, end) ?? this.#decoded(type, start, end);
    }
    return this.#decoded(type, start, end);
  }

  #decoded(type: number, start: number, end: number): Value {
    const bytes = Buffer.from(this.#text.slice(start, end), 'latin1');
    return readValue(bytes, type, 0, bytes.length, 0);
  }

  /** Undefined where it is not as it should be. */
  #elements(start: number, end: number): Value[] | undefined {
    const text = this.#text;
    const values: Value[] = [];
    let at = start + 4;
    while (at < end - 1) {
      const type = text.charCodeAt(at++);
      while (text.charCodeAt(at) > 0) at++;
      const from = ++at;
      const fixed = SIZES[type]!;
      at += fixed === VARIABLE ? this.#size(type, at) : fixed;
      if (!(at < end)) return undefined;
      values.push(this.#read(type, from, at));
    }
    return values;
  }
}

/** Which of the names stands there, as text. */
function wanted(text: KeptDoc, start: number, end: number, names: readonly string[]): string | undefined {
  for (const name of names) {
    if (name.length !== end - start || !text.startsWith(name, start)) continue;
    return isAscii(name, 0, name.length) ? name : Buffer.from(name, 'latin1').toString();
  }
  return undefined;
}

/** NaN past the text: in bit operations it would become 0. */
function int32(text: KeptDoc, at: number): number {
  if (!(at + 4 <= text.length)) return Number.NaN;
  return (
    text.charCodeAt(at) |
    (text.charCodeAt(at + 1) << 8) |
    (text.charCodeAt(at + 2) << 16) |
    (text.charCodeAt(at + 3) << 24)
  );
}

function isAscii(text: KeptDoc, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}
