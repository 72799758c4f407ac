import { Buffer } from 'node:buffer';
import { Binary, type Value } from '../../bson/index.ts';
import { badValue } from '../error.ts';
import { asBadValue, nonNegativeInt, nonNegativeLong } from '../integer.ts';
import { exactLong } from '../number.ts';
import { element, type Found, isArray, isNumeric } from '../value.ts';
import { leaf, type Predicate } from './predicate.ts';

export type BitTest = '$bitsAllSet' | '$bitsAllClear' | '$bitsAnySet' | '$bitsAnyClear';

/** Tests bits of integers (sign-extended without end) and of binary data (little-endian, zero beyond its length). */
export function testsBits(operator: BitTest, operand: Value, path: string): Predicate {
  const positions = bitPositions(operator, operand, path);
  const wanted = operator.endsWith('Set');
  const every = operator.startsWith('$bitsAll');
  return leaf((value) => {
    const bit = bitReader(value);
    if (!bit) return false;
    const passes = (position: number) => bit(position) === wanted;
    return every ? positions.every(passes) : positions.some(passes);
  });
}

function bitReader(value: Found): ((position: number) => boolean) | undefined {
  if (value instanceof Binary) {
    const bytes = storedBytes(value);
    return (position) => (((bytes[position >> 3] ?? 0) >> (position & 7)) & 1) === 1;
  }
  const long = isNumeric(value) ? exactLong(value) : undefined;
  if (long === undefined) return undefined;
  return (position) => ((long >> BigInt(Math.min(position, 63))) & 1n) === 1n;
}

/** The data as BSON has it: that of the old subtype begins with its own length. */
function storedBytes(value: Binary): Uint8Array {
  const bytes = value.buffer.subarray(0, value.position);
  if (value.sub_type !== Binary.SUBTYPE_BYTE_ARRAY) return bytes;
  const length = Buffer.allocUnsafe(4);
  length.writeInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function bitPositions(operator: BitTest, operand: Value, path: string): number[] {
  if (isArray(operand)) {
    return operand.map((item, index) =>
      asBadValue('Failed to parse bit position. ', () => nonNegativeInt(String(index), item)),
    );
  }
  if (operand instanceof Binary) {
    const read = bitReader(operand)!;
    return Array.from({ length: storedBytes(operand).length * 8 }, (_, position) => position).filter(read);
  }
  if (!isNumeric(operand)) {
    throw badValue(`${path} takes an Array, a number, or a BinData but received: ${element(operator, operand)}`);
  }
  const mask = nonNegativeLong(operator, operand);
  return Array.from({ length: 63 }, (_, position) => position).filter((p) => (mask >> BigInt(p)) & 1n);
}
