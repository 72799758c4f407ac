import { Decimal128 } from '../../bson/index.ts';
import { conversionFailure } from '../error.ts';

/** Numbers of their texts, as MongoDB's number parser takes them. All throw ConversionFailure. */
export function parseInteger(text: string, type: 'int' | 'long'): bigint {
  refuseHexadecimal(text);
  const [, digits] = /^[+-]?([\s\S]*)$/.exec(text) as unknown as [string, string];
  if (digits === '') throw unparsable(text, 'No digits');
  if (/[^0-9]/.test(digits)) throw unparsable(text, 'Did not consume whole string.');
  const value = BigInt(text.replace(/^\+/, ''));
  const bits = type === 'int' ? 32 : 64;
  if (BigInt.asIntN(bits, value) !== value) throw unparsable(text, 'Overflow');
  return value;
}

const DOUBLE = /^[+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|inf(?:inity)?|nan)/i;

/** As `strtod` takes them; MongoDB refuses no other beginning than `0x`. */
const HEXADECIMAL = /^([+-]?)(0x[0-9a-f]+)$/i;

export function parseDouble(text: string): number {
  refuseHexadecimal(text);
  if (text === '') throw unparsable(text, 'Empty string');
  if (/^\s/.test(text)) throw unparsable(text, 'Leading whitespace');
  const [, sign, hexadecimal] = HEXADECIMAL.exec(text) ?? [];
  if (hexadecimal) return sign === '-' ? -Number(hexadecimal) : Number(hexadecimal);
  const number = DOUBLE.exec(text)?.[0];
  if (number === undefined) throw unparsable(text, 'Did not consume any digits');
  if (number.length < text.length) throw unparsable(text, 'Did not consume whole string.');
  if (/nan/i.test(number)) return Number.NaN;
  if (/inf/i.test(number)) return number.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const value = Number(number);
  if (!Number.isFinite(value)) throw unparsable(text, 'Out of range');
  return value;
}

export function parseDecimal(text: string): Decimal128 {
  refuseHexadecimal(text);
  if (text === '') throw unparsable(text, 'Empty string');
  try {
    return Decimal128.fromStringWithRounding(text);
  } catch {
    throw unparsable(text, 'Failed to parse string to decimal');
  }
}

function refuseHexadecimal(text: string): void {
  if (!text.startsWith('0x')) return;
  throw conversionFailure(`Illegal hexadecimal input in $convert with no onError value: ${text}`);
}

function unparsable(text: string, reason: string): Error {
  return conversionFailure(`Failed to parse number '${text}' in $convert with no onError value: ${reason}`);
}
