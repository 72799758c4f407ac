import { Buffer, isUtf8 } from 'node:buffer';
import { invalid } from './invalid.ts';

/** Up to this many bytes a loop over ASCII beats a call out of JavaScript (measured). */
const SHORT_BYTES = 24;

/** The text in `[start, end)`. Throws `InvalidBSON` where it is not UTF-8; a byte order mark is text as any other. */
export function readUtf8(bytes: Buffer, start: number, end: number): string {
  if (isShortAscii(bytes, start, end)) {
    let text = '';
    for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at]!);
    return text;
  }
  checkLongUtf8(bytes, start, end);
  return bytes.toString('utf8', start, end);
}

export function checkUtf8(bytes: Buffer, start: number, end: number): void {
  if (!isShortAscii(bytes, start, end)) checkLongUtf8(bytes, start, end);
}

function isShortAscii(bytes: Buffer, start: number, end: number): boolean {
  if (end - start > SHORT_BYTES) return false;
  for (let at = start; at < end; at++) if (bytes[at]! > 0x7f) return false;
  return true;
}

function checkLongUtf8(bytes: Buffer, start: number, end: number): void {
  if (!isUtf8(bytes.subarray(start, end))) invalid('a string is not valid UTF-8');
}

const NAMES_KEPT = 1024;

/** Names of fields come again and again, so the last ones are kept, by a hash of their bytes. */
const names: string[] = new Array<string>(NAMES_KEPT).fill('');

/** As `readUtf8`, for the name of a field. */
export function readName(bytes: Buffer, start: number, end: number): string {
  if (end - start > SHORT_BYTES) return readUtf8(bytes, start, end);
  let hash = 0;
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
  const slot = (hash ^ (hash >>> 10)) & (NAMES_KEPT - 1);
  const kept = names[slot]!;
  if (isText(kept, bytes, start, end)) return kept;
  const name = readUtf8(bytes, start, end);
  names[slot] = name;
  return name;
}

/** False where the text is not ASCII, as its characters are not its bytes then. */
function isText(text: string, bytes: Buffer, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let at = start; at < end; at++) {
    if (bytes[at]! !== text.charCodeAt(at - start) || bytes[at]! > 0x7f) return false;
  }
  return true;
}

/** The same memory with Node's fast accessors. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
