import { compare, comparison, Int32, identical, Timestamp, type Value } from '../../bson/index.ts';
import { badValue, typeMismatch } from '../error.ts';
import { add, intOrLong, isNaNNumber, multiply } from '../number.ts';
import type { QueryContext } from '../types.ts';
import { element, format, isDoc, isNumeric, MISSING, type Numeric, typeName } from '../value.ts';
import type { Leaf, Place } from './tree.ts';

/** `$set` and `$setOnInsert`. */
export function set(operand: Value, insertOnly = false): Leaf {
  return {
    kind: 'leaf',
    creates: true,
    insertOnly,
    apply: (value) => (value !== MISSING && identical(value, operand) ? value : operand),
  };
}

/** `$unset`. In an array it leaves null, so that the elements after it keep their places. */
export function unset(): Leaf {
  return { kind: 'leaf', creates: false, forgiving: true, apply: () => MISSING };
}

/** `$inc` and `$mul`. */
export function arithmetic(operator: '$inc' | '$mul', name: string, operand: Value): Leaf {
  if (!isNumeric(operand)) {
    const verb = operator === '$inc' ? 'increment' : 'multiply';
    throw typeMismatch(`Cannot ${verb} with non-numeric argument: {${element(name, operand)}}`);
  }
  return {
    kind: 'leaf',
    creates: true,
    apply(value, place) {
      if (value === MISSING) return operator === '$inc' ? operand : multiply(operand, new Int32(0))!;
      if (!isNumeric(value)) {
        throw typeMismatch(
          `Cannot apply ${operator} to a value of non-numeric type. {${idOf(place)}} has the field '${lastPart(place)}' of non-numeric type ${typeName(value)}`,
        );
      }
      const result = operator === '$inc' ? add(value, operand) : multiply(value, operand);
      if (result === undefined) throw overflow(operator, value, place);
      return isSame(result, value) ? value : result;
    },
  };
}

/** `SafeNum::isIdentical`: one type and equal, so that -0 stays what it is, and so do a decimal's digits. */
function isSame(result: Numeric, value: Numeric): boolean {
  return typeName(result) === typeName(value) && !isNaNNumber(value) && compare(result, value) === 0;
}

function overflow(operator: string, value: Numeric, place: Place): Error {
  return badValue(
    `Failed to apply ${operator} operations to current value ((${value instanceof Int32 ? 'NumberInt' : 'NumberLong'})${format(value)}) for document {${idOf(place)}}`,
  );
}

/** `$min` and `$max`, in BSON order. */
export function extreme(operator: '$min' | '$max', operand: Value, { collator }: QueryContext): Leaf {
  const compare = comparison(collator);
  const wins = operator === '$min' ? -1 : 1;
  return {
    kind: 'leaf',
    creates: true,
    apply: (value) => (value === MISSING || compare(operand, value) * wins > 0 ? operand : value),
  };
}

/** `$currentDate`. */
export function currentDate(operand: Value, now: Date): Leaf {
  const type = currentDateType(operand);
  const value = type === 'date' ? now : new Timestamp({ t: Math.floor(now.getTime() / 1000), i: 1 });
  return { kind: 'leaf', creates: true, apply: () => value };
}

function currentDateType(operand: Value): 'date' | 'timestamp' {
  if (typeof operand === 'boolean') return 'date';
  if (!isDoc(operand)) {
    throw badValue(
      `${typeName(operand)} is not valid type for $currentDate. Please use a boolean ('true') or a $type expression ({$type: 'timestamp/date'}).`,
    );
  }
  for (const key of operand.keys()) {
    if (key !== '$type') throw badValue(`Unrecognized $currentDate option: ${key}`);
  }
  const type = operand.get('$type');
  if (type !== 'date' && type !== 'timestamp') {
    throw badValue(
      "The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : {$type: 'date'}}}",
    );
  }
  return type;
}

const BIT_OPERATORS: Readonly<Record<string, (left: bigint, right: bigint) => bigint>> = {
  and: (left, right) => left & right,
  or: (left, right) => left | right,
  xor: (left, right) => left ^ right,
};

/** `$bit`. */
export function bit(operand: Value): Leaf {
  if (!isDoc(operand)) {
    throw badValue(
      `The $bit modifier is not compatible with a ${typeName(operand)}. You must pass in an embedded document: {$bit: {field: {and/or/xor: #}}`,
    );
  }
  const steps = [...operand].map(([operator, number]) => {
    const apply = BIT_OPERATORS[operator];
    if (!apply) {
      throw badValue(
        `The $bit modifier only supports 'and', 'or', and 'xor', not '${operator}' which is an unknown operator: {${element(operator, number)}}`,
      );
    }
    if (!(number instanceof Int32) && typeof number !== 'bigint') {
      throw badValue(
        `The $bit modifier field must be an Integer(32/64 bit); a '${typeName(number)}' is not supported here: {${element(operator, number)}}`,
      );
    }
    return { apply, number };
  });
  if (steps.length === 0) {
    throw badValue('You must pass in at least one bitwise operation. The format is: {$bit: {field: {and/or/xor: #}}');
  }
  return {
    kind: 'leaf',
    creates: true,
    apply(value, place) {
      if (value !== MISSING && !(value instanceof Int32) && typeof value !== 'bigint') {
        throw badValue(
          `Cannot apply $bit to a value of non-integral type.${idOf(place)} has the field ${lastPart(place)} of non-integer type ${typeName(value)}`,
        );
      }
      let result: Int32 | bigint = value === MISSING ? new Int32(0) : value;
      for (const step of steps) result = applyBits(step.apply, result, step.number);
      return value !== MISSING && identical(result, value) ? value : result;
    },
  };
}

function applyBits(
  apply: (left: bigint, right: bigint) => bigint,
  left: Int32 | bigint,
  right: Int32 | bigint,
): Int32 | bigint {
  const result = apply(integer(left), integer(right));
  return left instanceof Int32 && right instanceof Int32 ? intOrLong(result) : result;
}

function integer(value: Int32 | bigint): bigint {
  return value instanceof Int32 ? BigInt(value.value) : value;
}

/** The `_id` of the document, as messages show it. */
export function idOf(place: Place): string {
  return place.doc.has('_id') ? element('_id', place.doc.get('_id')) : 'no id';
}

export function lastPart(place: Place): string {
  return place.path.split('.').at(-1)!;
}
