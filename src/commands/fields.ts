import { CodedError } from '../base/index.ts';
import { Decimal128, type Doc, Int32, typeAlias, type Value } from '../bson/index.ts';
import { clampedLong, isNumeric } from '../query/index.ts';

/** How one field of a command is read. Paths are as MongoDB's errors show them: `find.limit`. */
export interface Field<T> {
  /** What an absent field stands for; throws when it is required. */
  absent(path: string): T;
  parse(value: Value, path: string): T;
  /** It is shown null, which otherwise is as good as no field (as MongoDB's `idl_parser.cpp` has it). */
  readonly takesNull?: boolean;
}

export type Fields = Readonly<Record<string, Field<unknown>>>;
export type Parsed<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/**
 * Reads every field in the order in which they are given, refusing those that neither the specification nor `alsoKnown`
 * knows; then those that are not given, in the specification's order.
 */
export function parseFields<F extends Fields>(
  fields: F,
  source: Doc,
  path: string,
  alsoKnown: (name: string) => boolean = () => false,
): Parsed<F> {
  const parsed: Record<string, unknown> = {};
  for (const [name, value] of source) {
    if (!Object.hasOwn(fields, name)) {
      if (alsoKnown(name)) continue;
      throw new CodedError('IDLUnknownField', `BSON field '${path}.${name}' is an unknown field.`);
    }
    const field = fields[name]!;
    if (field.takesNull || (value !== null && value !== undefined))
      parsed[name] = field.parse(value, `${path}.${name}`);
  }
  for (const [name, field] of Object.entries(fields)) {
    if (!Object.hasOwn(parsed, name)) parsed[name] = field.absent(`${path}.${name}`);
  }
  return parsed as Parsed<F>;
}

export function wrongType(value: Value, path: string, expected: readonly string[]): CodedError {
  const wanted = expected.length === 1 ? `expected type '${expected[0]}'` : `expected types '[${expected.join(', ')}]'`;
  return new CodedError('TypeMismatch', `BSON field '${path}' is the wrong type '${typeAlias(value)}', ${wanted}`);
}

function scalar<T>(expected: readonly string[], accept: (value: Value, path: string) => T | undefined) {
  return {
    absent: () => undefined,
    parse(value: Value, path: string): T | undefined {
      const accepted = accept(value, path);
      if (accepted === undefined) throw wrongType(value, path, expected);
      return accepted;
    },
  } satisfies Field<T | undefined>;
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

/** MongoDB's `safeInt64`: any number (`clampedLong`), as far as a double can tell integers apart. */
export function toInteger(value: Value): number | undefined {
  if (!isNumeric(value)) return undefined;
  return Math.min(Math.max(Number(clampedLong(value)), Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}

export function toNumber(value: Value): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Int32) return value.value;
  if (value instanceof Decimal128) return Number(value.toString());
  return undefined;
}

export function isDocument(value: Value): value is Doc {
  return value instanceof Map;
}

export const string = (): Field<string | undefined> =>
  scalar(['string'], (value) => (typeof value === 'string' ? value : undefined));

/** What is read by hand, with errors of its own, for null as well. */
export const byHand = <T>(parse: Field<T>['parse']): Field<T | undefined> => ({
  absent: () => undefined,
  takesNull: true,
  parse,
});

/** MongoDB's `safeBool`: a boolean or any number. */
export const boolean = (): Field<boolean | undefined> =>
  scalar(['bool', 'long', 'int', 'decimal', 'double'], (value) => {
    if (typeof value === 'boolean') return value;
    const number = toNumber(value);
    return number === undefined ? undefined : number !== 0;
  });

/** MongoDB's `bool`. */
export const strictBoolean = (): Field<boolean | undefined> =>
  scalar(['bool'], (value) => (typeof value === 'boolean' ? value : undefined));

/** MongoDB's `optionalBool`, with an error of its own, for null as well (`optional_bool.h`). */
export const optionalBoolean = (): Field<boolean | undefined> =>
  byHand((value, path) => {
    if (typeof value === 'boolean') return value;
    const message = `Field '${lastName(path)}' should be a boolean value, but found: ${typeAlias(value)}`;
    throw new CodedError('TypeMismatch', message);
  });

export const integer = (bounds: { min?: number; max?: number } = {}): Field<number | undefined> =>
  scalar(['long', 'int', 'decimal', 'double'], (value, path) => {
    const number = toInteger(value);
    if (number === undefined) return undefined;
    const name = lastName(path);
    const { min, max } = bounds;
    const broken =
      min !== undefined && number < min ? `>= ${min}` : max !== undefined && number > max ? `<= ${max}` : undefined;
    if (broken) {
      throw new CodedError('BadValue', `BSON field '${name}' value must be ${broken}, actual value '${number}'`);
    }
    return number;
  });

/** One of a few texts. */
export const oneOf = <T extends string>(allowed: readonly T[]): Field<T | undefined> =>
  scalar(['string'], (value, path) => {
    if (typeof value !== 'string') return undefined;
    if (allowed.includes(value as T)) return value as T;
    throw new CodedError('BadValue', `Enumeration value '${value}' for field '${path}' is not a valid value.`);
  });

/** Exactly an int64, as cursor ids are. */
export const long = (): Field<bigint | undefined> =>
  scalar(['long'], (value) => (typeof value === 'bigint' ? value : undefined));

export const document = (): Field<Doc | undefined> =>
  scalar(['object'], (value) => (isDocument(value) ? value : undefined));

/** The documents of `find`, with an error of their own, for null as well; the space is missing there, too (`parseOwnedBSON`). */
export const ownedDocument = (): Field<Doc | undefined> =>
  byHand((value, path) => {
    if (isDocument(value)) return value;
    throw new CodedError('TypeMismatch', `Expected field ${lastName(path)}to be of type object`);
  });

/** Any value; null is one. */
export const any = (): Field<Value | undefined> => byHand((value) => value);

export const arrayOf = <T>(element: Field<T>): Field<readonly T[] | undefined> => ({
  absent: () => undefined,
  parse(value, path) {
    if (!Array.isArray(value)) throw wrongType(value, path, ['array']);
    return value.map((each, index) => {
      if (!element.takesNull && (each === null || each === undefined)) return element.absent(`${path}.${index}`);
      return element.parse(each, `${path}.${index}`);
    });
  },
});

/** A document with known fields. */
export const struct = <F extends Fields>(fields: F): Field<Parsed<F> | undefined> => ({
  absent: () => undefined,
  parse(value, path) {
    if (!isDocument(value)) throw wrongType(value, path, ['object']);
    return parseFields(fields, value, path);
  },
});

/**
 * An array of documents with known fields; paths in errors leave the index out, as MongoDB's do. What is null in it is
 * passed over (`idl_parser.cpp`).
 */
export const structs = <F extends Fields>(fields: F): Field<readonly Parsed<F>[] | undefined> => ({
  absent: () => undefined,
  parse(value, path) {
    if (!Array.isArray(value)) throw wrongType(value, path, ['array']);
    return value.flatMap((each, index) => {
      if (each === null || each === undefined) return [];
      if (!isDocument(each)) throw wrongType(each, `${path}.${index}`, ['object']);
      return [parseFields(fields, each, path)];
    });
  },
});

/** The first of several kinds that fits the value's type. */
export const either = <A, B>(
  first: Field<A | undefined>,
  fits: (value: Value) => boolean,
  second: Field<B | undefined>,
): Field<A | B | undefined> => ({
  absent: () => undefined,
  parse: (value, path) => (fits(value) ? first.parse(value, path) : second.parse(value, path)),
});

export const required = <T>(field: Field<T | undefined>): Field<T> => ({
  ...(field.takesNull ? { takesNull: true } : {}),
  absent(path) {
    throw new CodedError('IDLFailedToParse', `BSON field '${path}' is missing but a required field`);
  },
  parse: (value, path) => field.parse(value, path) as T,
});

export const withDefault = <T>(field: Field<T | undefined>, value: T): Field<T> => ({
  ...(field.takesNull ? { takesNull: true } : {}),
  absent: () => value,
  parse: (given, path) => field.parse(given, path) as T,
});

/** A collection's name, the value of most command names. */
export const collectionName = (): Field<string> =>
  required({
    absent: () => undefined,
    parse(value) {
      if (typeof value === 'string') return value;
      throw new CodedError('BadValue', `collection name has invalid type ${typeAlias(value)}`);
    },
  });

/**
 * An option that MongoDB has and DiscoDB does not have yet. A refusal is better than a wrong answer; a value that asks
 * for nothing (`harmless`) passes.
 */
export const unsupported = (
  what: string,
  harmless: (value: Value) => boolean = (value) => value === false,
): Field<undefined> => ({
  absent: () => undefined,
  parse(value) {
    if (harmless(value)) return undefined;
    throw new CodedError('NotImplemented', `DiscoDB does not support ${what} yet`);
  },
});
