import { Buffer } from 'node:buffer';
import { Binary, Code, encode, Int32, Timestamp } from '../../bson/index.ts';
import { ISO_UTC, UTC } from '../dates/index.ts';
import { located } from '../error.ts';
import { coerceToLong } from '../integer.ts';
import { exactInt } from '../number.ts';
import { type Found, isDoc, isNullish, isNumeric, shortText, textOf, typeName, valueText } from '../value.ts';
import { indexBound } from './array.ts';
import { instantOf } from './date.ts';
import { sized } from './text-size.ts';
import { binary, evaluated, type Operators, unary } from './types.ts';

/** Texts as bytes and as code points. */
export const strings: Operators = {
  $concat: evaluated(0, Number.POSITIVE_INFINITY, (args) => {
    let text = '';
    for (const arg of args) {
      if (isNullish(arg)) return null;
      if (typeof arg !== 'string') throw located(16702, `$concat only supports strings, not ${typeName(arg)}`);
      text = sized(text + arg);
    }
    return text;
  }),
  $toLower: unary((value) => coerced(value).replace(/[A-Z]+/g, (letters) => letters.toLowerCase())),
  $toUpper: unary((value) => upper(coerced(value))),
  $strcasecmp: binary(
    (left, right) => new Int32(Buffer.compare(bytes(upper(coerced(left))), bytes(upper(coerced(right))))),
  ),
  $strLenBytes: unary(
    (value) => new Int32(bytes(string(value, 34473, '$strLenBytes requires a string argument, found: ')).length),
  ),
  $strLenCP: unary((value) => {
    let length = 0;
    for (const _ of string(value, 34471, '$strLenCP requires a string argument, found: ')) length += 1;
    return new Int32(length);
  }),
  $binarySize: unary((value) => {
    if (isNullish(value)) return null;
    if (value instanceof Binary) return new Int32(value.position);
    return new Int32(bytes(string(value, 51276, '$binarySize requires a string or BinData argument, found: ')).length);
  }),
  $bsonSize: unary((value) => {
    if (isNullish(value)) return null;
    if (!isDoc(value)) throw located(31393, `$bsonSize requires a document input, found: ${typeName(value)}`);
    return new Int32(encode(value).length);
  }),
  $substr: evaluated(3, 3, substringBytes),
  $substrBytes: evaluated(3, 3, substringBytes),
  $substrCP: evaluated(3, 3, substringPoints),
  $split: binary((value, separator) => {
    if (isNullish(value) || isNullish(separator)) return null;
    const message = (which: string) =>
      `$split requires an expression that evaluates to a string as a ${which} argument, found: `;
    const text = string(value, 40085, message('first'));
    const by = string(separator, 40086, message('second'));
    if (by === '') throw located(40087, '$split requires a non-empty separator');
    return text.split(by);
  }),
  $indexOfBytes: evaluated(2, 4, indexOfBytes),
  $indexOfCP: evaluated(2, 4, indexOfPoints),
};

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function bytes(text: string): Buffer {
  return Buffer.from(text);
}

function upper(text: string): string {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

/** What the operators on any text take: nothing is the empty text, numbers, dates and code are printed. Throws 16007. */
function coerced(value: Found): string {
  if (isNullish(value)) return '';
  const text = textOf(value);
  if (text !== undefined) return text;
  if (value instanceof Int32) return String(value.value);
  if (typeof value === 'number') return shortText(value);
  if (isNumeric(value)) return value.toString();
  if (value instanceof Date) return ISO_UTC(instantOf(value), UTC);
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof Code && value.scope === null) return value.code;
  throw located(16007, `can't convert from BSON type ${typeName(value)} to String`);
}

/** As C's `ctime` without weekday and year, and the increment in hexadecimal. */
function timestampText(value: Timestamp): string {
  const [, day, month, , time] = new Date(value.t * 1000).toUTCString().split(' ') as [
    string,
    string,
    string,
    string,
    string,
  ];
  return `${month} ${String(Number(day)).padStart(2)} ${time}:${value.i}`;
}

/** A text, or the error with the type that was found. */
export function string(value: Found, code: number, message: string): string {
  if (typeof value === 'string') return value;
  throw located(code, message + typeName(value));
}

function substringBytes([value, start, count]: readonly Found[], name: string): string {
  const text = bytes(coerced(value!));
  if (!isNumeric(start!)) {
    throw located(16034, `${name}:  starting index must be a numeric type (is BSON type ${typeName(start!)})`);
  }
  if (!isNumeric(count!)) {
    throw located(16035, `${name}:  length must be a numeric type (is BSON type ${typeName(count!)})`);
  }
  const asked = coerceToLong(start);
  if (asked < 0n) throw located(50752, `${name}:  starting index must be non-negative (got: ${asked})`);
  const from = Number(asked);
  const length = Number(coerceToLong(count));
  const to = length < 0 ? text.length : Math.min(text.length, from + length);
  if (isContinuation(text[from])) {
    throw located(28656, `${name}:  Invalid range, starting index is a UTF-8 continuation byte.`);
  }
  if (isContinuation(text[to])) {
    throw located(28657, `${name}:  Invalid range, ending index is in the middle of a UTF-8 character.`);
  }
  return from >= text.length ? '' : decoder.decode(text.subarray(from, to));
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function substringPoints([value, start, count]: readonly Found[], name: string): string {
  const text = coerced(value!);
  const from = position(start!, 34450, `${name}: starting index`);
  const length = position(count!, 34452, `${name}: length`);
  if (length < 0) throw located(34454, `${name}: length must be a nonnegative integer.`);
  if (from < 0) throw located(34455, `${name}: the starting index must be nonnegative integer.`);
  return [...text].slice(from, from + length).join('');
}

function position(value: Found, code: number, what: string): number {
  if (!isNumeric(value)) throw located(code, `${what} must be a numeric type (is BSON type ${typeName(value)})`);
  const index = exactInt(value);
  if (index !== undefined) return index;
  throw located(code + 1, `${what} cannot be represented as a 32-bit integral value: ${valueText(value)}`);
}

function indexOfBytes(args: readonly Found[], name: string): Found {
  const [value, search, start, stop] = args;
  if (isNullish(value!)) return null;
  const text = bytes(string(value!, 40091, `${name} requires a string as the first argument, found: `));
  const wanted = bytes(string(search!, 40092, `${name} requires a string as the second argument, found: `));
  const from = args.length > 2 ? indexBound(start!, name, 'starting index') : 0;
  const to = args.length > 3 ? Math.min(text.length, indexBound(stop!, name, 'ending index')) : text.length;
  if (from > text.length || to < from) return new Int32(-1);
  return new Int32(text.subarray(0, to).indexOf(wanted, from));
}

/** The end bounds where a match may begin, not where it ends. */
function indexOfPoints(args: readonly Found[], name: string): Found {
  const [value, search, start, stop] = args;
  if (isNullish(value!)) return null;
  const text = string(value!, 40093, `${name} requires a string as the first argument, found: `);
  const wanted = string(search!, 40094, `${name} requires a string as the second argument, found: `);
  const from = args.length > 2 ? indexBound(start!, name, 'starting index') : 0;
  const to = args.length > 3 ? indexBound(stop!, name, 'ending index') : Number.POSITIVE_INFINITY;
  if (text === '' && wanted === '' && from === 0) return new Int32(0);
  let [unit, point] = [0, 0];
  for (const char of text) {
    if (point >= to) break;
    if (point >= from && text.startsWith(wanted, unit)) return new Int32(point);
    unit += char.length;
    point += 1;
  }
  return new Int32(-1);
}
