import { Buffer } from 'node:buffer';
import { Int32 } from 'bson';
import { readValue } from './decode.ts';
import { layoutNumbered, layoutOf, SIZES, VARIABLE } from './layout.ts';
import { TYPE } from './types.ts';
import type { Doc, Value } from './values.ts';

/**
 * A document as it is kept in memory: its bytes as a string of a character a byte (`latin1`), but for the first four. Its
 * length is the string's; where it stood are the number of the document's layout (two bytes) and the length's low byte.
 */
export type KeptDoc = string;

/** Of a string's value beside its characters: the length before, NUL behind. */
const STRING_BYTES = 5;

/** Of a document that is whole: five bytes at least. */
export function keptDoc(bytes: Uint8Array): KeptDoc {
  const { number } = layoutOf(bytes);
  const { length } = bytes;
  const copy = length <= scratchBytes.length ? scratchBytes : Buffer.allocUnsafe(length);
  copy.set(bytes);
  copy[0] = number & 0xff;
  copy[1] = number >> 8;
  copy[2] = length & 0xff;
  copy[3] = 0;
  return copy.toString('latin1', 0, length);
}

export function bytesOfKept(kept: KeptDoc): Buffer {
  const bytes = Buffer.from(kept, 'latin1');
  bytes.writeInt32LE(kept.length, 0);
  return bytes;
}

/** A field to find in many documents: where it is in those of the layout that was met last. */
export class KeptField {
  /** Its UTF-8 as `latin1`. */
  readonly name: string;
  layout = -1;
  /** Where the value is; 0 where the layout does not tell. */
  start = 0;
  type = 0;
  /** From where on to look for it otherwise. */
  rest = 0;

  constructor(name: string) {
    this.name = Buffer.from(name).toString('latin1');
  }

  learn(number: number): void {
    const layout = layoutNumbered(number);
    const found = layout.find(this.name);
    this.layout = number;
    this.start = found?.start ?? 0;
    this.type = found?.type ?? 0;
    this.rest = layout.rest;
  }
}

const scratchBytes = Buffer.allocUnsafeSlow(16 * 1024);
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

  /** The first field of that name in the document. */
  find(text: KeptDoc, field: KeptField): 'found' | 'absent' | 'unreadable' {
    this.#text = text;
    this.type = 0;
    const last = text.length - 1;
    // A text that was cut short is the one fault to look out for.
    if (text.charCodeAt(2) !== (text.length & 0xff)) return 'unreadable';
    const layout = text.charCodeAt(0) | (text.charCodeAt(1) << 8);
    if (layout !== field.layout) field.learn(layout);
    const { start, type } = field;
    if (start === 0) return this.#findFrom(field.rest, last, field.name);
    return this.#found(type, start, last);
  }

  /** The same in the document that was found last. */
  findWithin({ name }: KeptField): 'found' | 'absent' | 'unreadable' {
    return this.#findFrom(this.#start + 4, this.#end - 1, name);
  }

  /** The fields of these names, read; what follows the last of them is not looked at. Undefined where it is unreadable. */
  fields(text: KeptDoc, names: readonly string[]): Doc | undefined {
    this.#text = text;
    const doc: Doc = new Map();
    const last = text.length - 1;
    if (text.charCodeAt(2) !== (text.length & 0xff)) return undefined;
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

  #found(type: number, start: number, last: number): 'found' | 'unreadable' {
    const fixed = SIZES[type]!;
    const end = start + (fixed === VARIABLE ? this.#size(type, start) : fixed);
    // Whatever is read past the text is NaN, and no comparison holds for that.
    if (!(end <= last)) return 'unreadable';
    this.type = type;
    this.#start = start;
    this.#end = end;
    return 'found';
  }

  /** Looks from a field's type byte on. */
  #findFrom(from: number, last: number, name: string): 'found' | 'absent' | 'unreadable' {
    const text = this.#text;
    const { length } = name;
    let at = from;
    while (at < last) {
      const type = text.charCodeAt(at++);
      // One native call for a whole name: a character at a time takes longer from four on (measured on Node 20).
      const nameEnd = text.indexOf('\0', at);
      if (nameEnd < at) return 'unreadable';
      const found = nameEnd - at === length && text.startsWith(name, at);
      at = nameEnd + 1;
      if (found) return this.#found(type, at, last);
      const fixed = SIZES[type]!;
      at += fixed === VARIABLE ? this.#size(type, at) : fixed;
    }
    return at === last ? 'absent' : 'unreadable';
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
