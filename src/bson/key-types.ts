import { BSONSymbol, Decimal128, Int32 } from 'bson';
import type { Value } from './values.ts';

/** Types, as bits, that the keys of values do not tell apart. */
export const KEY_TYPES = {
  int: 1,
  long: 2,
  double: 4,
  decimal: 8,
  /** All of these. */
  number: 15,
  negativeZero: 16,
  symbol: 32,
} as const;

/** Which of these types each field of an index has ever had. Grows only, as MongoDB's note of arrays does. */
export class KeyTypes {
  readonly #seen: number[] = [];

  note(values: readonly Value[]): void {
    for (let field = 0; field < values.length; field++) this.#seen[field] = this.of(field) | typeOf(values[field]);
  }

  of(field: number): number {
    return this.#seen[field] ?? 0;
  }
}

function typeOf(value: Value): number {
  switch (typeof value) {
    case 'number':
      return Object.is(value, -0) ? KEY_TYPES.double | KEY_TYPES.negativeZero : KEY_TYPES.double;
    case 'bigint':
      return KEY_TYPES.long;
    case 'object':
      if (value instanceof Int32) return KEY_TYPES.int;
      if (value instanceof Decimal128) return KEY_TYPES.decimal;
      return value instanceof BSONSymbol ? KEY_TYPES.symbol : 0;
    default:
      return 0;
  }
}
