import fc from 'fast-check';
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  type Doc,
  dateFromMillis,
  Int32,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  type Value,
} from '../../../src/bson/index.ts';

const bytes = (length: fc.IntArrayConstraints & { minLength?: number; maxLength?: number }) => fc.uint8Array(length);

export const objectId = bytes({ minLength: 12, maxLength: 12 }).map((id) => new ObjectId(id));

/** Text with what tends to go wrong: NUL, U+0001, the edges of the surrogates, characters beyond U+FFFF. */
export const text = fc.string({
  unit: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'A', '0', '1', '.', '$') },
    fc.constantFrom('\0', '\x01', '\x02', '\x7f', 'é', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}', '`'),
  ),
  maxLength: 30,
});

const cstring = text.map((value) => value.replaceAll('\0', ''));

/** Names a plain object would reorder or trip over, and those that Extended JSON has a meaning for. */
export const fieldName = fc.oneof(cstring, fc.constantFrom('0', '10', '2', '', '__proto__', 'constructor', 'a', 'b'));

export const double = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(
    0,
    -0,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    2 ** 53,
    -(2 ** 53),
    2 ** 63,
    0.1,
    5e-324,
    1e21,
  ),
);

export const int32 = fc.oneof(fc.integer(), fc.integer({ min: -3, max: 3 })).map((value) => new Int32(value));

/** Near the powers of two where doubles begin to skip integers. */
export const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: 2n ** 53n - 3n, max: 2n ** 53n + 5n }),
  fc.bigInt({ min: -(2n ** 53n) - 5n, max: -(2n ** 53n) + 3n }),
  fc.bigInt({ min: 2n ** 63n - 1025n, max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -3n, max: 3n }),
);

const decimalText = fc.oneof(
  fc
    .tuple(fc.bigInt({ min: -(10n ** 34n) + 1n, max: 10n ** 34n - 1n }), fc.integer({ min: -6176, max: 6111 }))
    .map(([coefficient, exponent]) => `${coefficient}E${exponent}`),
  fc.tuple(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: -4, max: 3 })).map(([c, e]) => `${c}E${e}`),
  int64.map(String),
  fc.constantFrom('NaN', 'Infinity', '-Infinity', '0', '-0', '0E+10', '1.0', '1.00', '0.1', '-0.1', '9007199254740993'),
  fc.constantFrom('9223372036854775808', '1E400', '-1E400', '1E-400', '-1E-400', '1E-6176', '9.999E6144'),
);
export const decimal = decimalText.map((value) => Decimal128.fromString(value));

export const numeric = fc.oneof(double, int32, int64, decimal);

const date = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -1000n, max: 4_102_444_800_000n }),
  fc.constantFrom(8_640_000_000_000_000n, 8_640_000_000_000_001n, 253_402_300_799_999n, 253_402_300_800_000n),
);

const regex = fc.tuple(cstring, fc.constantFrom('', 'i', 'xi', 'zz')).map(([pattern, options]) => {
  const value = new BSONRegExp(pattern);
  value.options = options;
  return value;
});

const leaf: fc.Arbitrary<Value> = fc.oneof(
  { weight: 4, arbitrary: numeric },
  { weight: 3, arbitrary: text },
  objectId,
  fc.boolean(),
  fc.constantFrom(null, undefined),
  date.map(dateFromMillis),
  fc
    .tuple(bytes({ maxLength: 6 }), fc.constantFrom(0, 2, 4, 9, 128))
    .map(([value, subtype]) => new Binary(value, subtype)),
  fc.tuple(fc.nat(3), fc.integer({ min: 0, max: 0xffff_ffff })).map(([t, i]) => new Timestamp({ t, i })),
  regex,
  text.map((value) => new BSONSymbol(value)),
  text.map((value) => new Code(value)),
  fc.tuple(fc.constantFrom('a', 'a.b', 'a.b.c', '.', 'é.b'), objectId).map(([name, id]) => new DBRef(name, id)),
  fc.constantFrom(new MinKey(), new MaxKey()),
);

const { document, anyValue } = fc.letrec<{ document: Doc; anyValue: Value }>((tie) => ({
  document: fc
    .array(fc.tuple(fieldName, tie('anyValue')), { maxLength: 5, depthIdentifier: 'bson' })
    .map((fields) => new Map(fields)),
  anyValue: fc.oneof(
    { depthIdentifier: 'bson', maxDepth: 3 },
    { weight: 6, arbitrary: leaf },
    tie('document'),
    fc.array(tie('anyValue'), { maxLength: 4, depthIdentifier: 'bson' }),
    fc.tuple(text, tie('document')).map(([code, scope]) => {
      const value = new Code(code);
      value.scope = scope;
      return value;
    }),
  ),
}));

export { anyValue, document };
