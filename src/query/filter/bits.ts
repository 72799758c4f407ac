import { Binary, type Value } from '../../bson/index.ts';
import { badValue, failedToParse } from '../error.ts';
import { exactLong, INT32_MAX } from '../number.ts';
import { element, type Found, format, isArray, isNumeric } from '../value.ts';
import { leaf, type Predicate } from './predicate.ts';

export type BitTest = '$bitsAllSet' | '$bitsAllClear' | '$bitsAnySet' | '$bitsAnyClear';

/** Tests bits of integers (sign-extended without end) and of binary data (little-endian, zero beyond its length). */
export function testsBits(operator: BitTest, operand: Value): Predicate {
  const positions = bitPositions(operator, operand);
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
    const bytes = value.buffer.subarray(0, value.position);
    return (position) => (((bytes[position >> 3] ?? 0) >> (position & 7)) & 1) === 1;
  }
  const long = isNumeric(value) ? exactLong(value) : undefined;
  if (long === undefined) return undefined;
  return (position) => ((long >> BigInt(Math.min(position, 63))) & 1n) === 1n;
}

function bitPositions(operator: BitTest, operand: Value): number[] {
  if (isArray(operand)) return operand.map(bitPosition);
  if (operand instanceof Binary) {
    const read = bitReader(operand)!;
    return Array.from({ length: operand.position * 8 }, (_, position) => position).filter(read);
  }
  if (!isNumeric(operand)) {
    throw badValue(`${operator} takes an Array, a number, or a BinData but received: ${element(operator, operand)}`);
  }
  const mask = exactLong(operand);
  if (mask === undefined) throw failedToParse(`Expected an integer: ${element(operator, operand)}`);
  if (mask < 0n) throw failedToParse(`Expected a non-negative number in: ${element(operator, operand)}`);
  return Array.from({ length: 63 }, (_, position) => position).filter((p) => (mask >> BigInt(p)) & 1n);
}

function bitPosition(item: Value, index: number): number {
  const shown = `${index}: ${format(item)}`;
  const position = isNumeric(item) ? exactLong(item) : undefined;
  if (position === undefined) throw badValue(`bit positions must be an integer but got: ${shown}`);
  if (position > BigInt(INT32_MAX) || position < -BigInt(INT32_MAX) - 1n) {
    throw badValue(`bit positions cannot be represented as a 32-bit signed integer: ${shown}`);
  }
  if (position < 0n) throw badValue(`bit positions must be >= 0 but got: ${shown}`);
  return Number(position);
}
