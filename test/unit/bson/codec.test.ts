import { serialize } from 'bson';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CodedError } from '../../../src/base/index.ts';
import {
  type Doc,
  decode,
  decodeOnly,
  decodeWithout,
  doc,
  encode,
  fieldNames,
  fromExtendedJson,
  getField,
  Int32,
  identical,
  MAX_DEPTH,
  RawDoc,
  rawDocuments,
  rawField,
  toExtendedJson,
  toValue,
  type Value,
  validate,
} from '../../../src/bson/index.ts';
import { document, text } from './arbitraries.ts';

const hex = (digits: string) => Buffer.from(digits.replaceAll(' ', ''), 'hex');

/** The code of the error that the call ends with. Anything but a `CodedError` fails the test. */
function codeOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof CodedError) return error.codeName;
    throw error;
  }
}

function nest(depth: number): Doc {
  let value: Value = new Int32(1);
  for (let level = 0; level < depth; level++) value = new Map([['a', value]]);
  return new Map([['a', value]]);
}

describe('decode and encode', () => {
  test('are inverse, bytes and values', () => {
    fc.assert(
      fc.property(document, (value) => {
        const bytes = encode(value);
        const decoded = decode(bytes);
        expect(identical(decoded, value)).toBe(true);
        expect(Buffer.compare(encode(decoded), bytes)).toBe(0);
        validate(bytes);
      }),
      { numRuns: 500 },
    );
  });

  test('agree with the bson package', () => {
    const literal = { a: 1, b: 1.5, c: 'héllo', d: [1, { e: null }], f: true, g: new Date(5), long: 5n };
    expect(Buffer.compare(encode(doc(literal)), serialize(literal))).toBe(0);
  });

  test('keep the order of names that look like numbers, and __proto__ as a name', () => {
    const bytes = encode(
      new Map<string, Value>([
        ['10', 'a'],
        ['9', 'b'],
        ['__proto__', 'c'],
      ]),
    );
    expect([...decode(bytes).keys()]).toEqual(['10', '9', '__proto__']);
  });

  test('tell names apart, however many there are', () => {
    const names = Array.from({ length: 5000 }, (_, at) => `${at % 2 ? 'é' : 'Ã©'}${at}`);
    const value: Doc = new Map(names.map((name, at) => [name, at]));
    for (let round = 0; round < 2; round++) expect([...decode(encode(value)).keys()]).toEqual(names);
  });

  test('keep a byte order mark', () => {
    expect(decode(encode(doc({ a: '\ufeffx' }))).get('a')).toBe('\ufeffx');
    const long = `\ufeff${'é'.repeat(100)}`;
    expect(decode(encode(doc({ a: long }))).get('a')).toBe(long);
  });

  test('take the first of fields with the same name', () => {
    const twice = hex('13000000 10 6100 01000000 10 6100 02000000 00');
    expect(decode(twice).get('a')).toEqual(new Int32(1));
    expect(getField(twice, 'a')).toEqual(new Int32(1));
    expect(fieldNames(twice)).toEqual(['a', 'a']);
  });

  test('make one NaN of all', () => {
    const signalling = hex('10000000 01 6100 010000000000f0ff 00');
    expect(encode(decode(signalling))).toEqual(hex('10000000 01 6100 000000000000f87f 00'));
  });

  test('a raw document is encoded as it is', () => {
    const inner = encode(doc({ b: 1 }));
    expect(
      encode(
        new Map<string, Value>([
          ['a', new RawDoc(inner)],
          ['l', [new RawDoc(inner)]],
        ]),
      ),
    ).toEqual(encode(doc({ a: { b: 1 }, l: [{ b: 1 }] })));
  });

  test('nest as deep as allowed and no deeper', () => {
    const deepest = encode(nest(MAX_DEPTH));
    expect(Buffer.compare(encode(decode(deepest)), deepest)).toBe(0);
    expect(codeOf(() => encode(nest(MAX_DEPTH + 1)))).toBe('Overflow');
    const deeper = encode(new Map([['a', new RawDoc(deepest)]]));
    expect(codeOf(() => decode(deeper))).toBe('Overflow');
    expect(codeOf(() => validate(deeper))).toBe('Overflow');
  });

  test('what cannot be encoded is refused', () => {
    expect(codeOf(() => encode(new Map([['a\0', 1]])))).toBe('BadValue');
    expect(codeOf(() => encode(doc({ a: 2n ** 63n })))).toBe('BadValue');
    expect(codeOf(() => encode(doc({ a: new Date(Number.NaN) })))).toBe('BadValue');
  });

  test('documents outgrow the scratch buffer at any place', () => {
    for (const size of [60_000, 65_530, 70_000, 200_000, 3_000_000]) {
      const value = doc({ text: 'x'.repeat(size), list: ['y'.repeat(size), { z: 1 }], end: 'é'.repeat(size) });
      expect(identical(decode(encode(value)), value)).toBe(true);
    }
  });

  test('an encoded document keeps its bytes when the next one is encoded', () => {
    const first = encode(doc({ a: 'x'.repeat(2_000_000) }));
    const copy = Buffer.from(first);
    encode(doc({ a: 'y'.repeat(2_000_000) }));
    expect(Buffer.compare(first, copy)).toBe(0);
  });
});

describe('malformed bytes', () => {
  test.each([
    ['nothing', ''],
    ['a length that is too small', '04000000 00'],
    ['a length beyond the end', '06000000 00'],
    ['a length below the end', '05000000 00 00'],
    ['a negative length', 'ffffffff 00'],
    ['no terminator', '05000000 01'],
    ['an unknown type', '08000000 20 6100 00'],
    ['type 0 inside', '08000000 00 6100 00'],
    ['a name without end', '07000000 10 61 00'],
    ['a value cut off', '0a000000 10 6100 0100 00'],
    ['a boolean of 2', '09000000 08 6100 02 00'],
    ['a string without NUL', '0e000000 02 6100 02000000 6162 00'],
    ['a string of length 0', '0c000000 02 6100 00000000 00'],
    ['a string that is not UTF-8', '0e000000 02 6100 02000000 ff00 00'],
    ['a surrogate in UTF-8', '10000000 02 6100 04000000 eda08000 00'],
    ['a name that is not UTF-8', '08000000 0a ff00 00'],
    ['binary subtype 2 without its length', '0d000000 05 6100 00000000 02 00'],
    ['binary subtype 2 with another length', '12000000 05 6100 05000000 02 02000000 aa 00'],
    ['binary of negative length', '0d000000 05 6100 ffffffff 00 00'],
    ['code with scope of the wrong length', '17000000 0f 6100 0f000000 01000000 00 05000000 00 00 00'],
  ])('%s', (_, digits) => {
    const bytes = hex(digits);
    expect(codeOf(() => decode(bytes))).toBe('InvalidBSON');
    expect(codeOf(() => validate(bytes))).toBe('InvalidBSON');
  });

  test('never throw anything else, and decode refuses what validate refuses', () => {
    const change = fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)));
    const mutated = fc
      .tuple(document, fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(20))
      .map(([value, changes, cut]) => {
        const bytes = Buffer.from(encode(value));
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        return cut < 3 ? bytes.subarray(0, bytes.length - cut) : bytes;
      });
    const random = fc.uint8Array({ maxLength: 60 }).map((bytes) => {
      const framed = Buffer.concat([Buffer.alloc(4), bytes, Buffer.alloc(1)]);
      framed.writeInt32LE(framed.length);
      return framed;
    });
    fc.assert(
      fc.property(fc.oneof(mutated, random, fc.uint8Array()), (bytes) => {
        const refused = codeOf(() => decode(bytes));
        expect([undefined, 'InvalidBSON']).toContain(refused);
        expect(codeOf(() => validate(bytes))).toBe(refused);
        expect([undefined, 'InvalidBSON']).toContain(codeOf(() => fieldNames(bytes)));
        expect([undefined, 'InvalidBSON']).toContain(codeOf(() => getField(bytes, 'a')));
        expect([undefined, 'InvalidBSON']).toContain(codeOf(() => rawDocuments(bytes, 'a')));
        expect(codeOf(() => toExtendedJson(bytes))).toBe(refused);
        if (!refused) expect(Buffer.compare(fromExtendedJson(toExtendedJson(bytes)), bytes)).toBe(0);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('fields without decoding the rest', () => {
  const bytes = encode(doc({ _id: 5, list: [{ a: 1 }, { b: 2 }], s: 'x', sub: { a: null }, mixed: [{}, 1] }));

  test('names, places and values', () => {
    expect(fieldNames(bytes)).toEqual(['_id', 'list', 's', 'sub', 'mixed']);
    expect(rawField(bytes, '_id')).toEqual({ type: 16, start: 9, end: 13 });
    expect(rawField(bytes, 'none')).toBeUndefined();
    expect(getField(bytes, 's')).toBe('x');
    expect(getField(bytes, 'sub')).toEqual(doc({ a: null }));
    expect(getField(bytes, 'none')).toBeUndefined();
    expect([...decodeWithout(bytes, new Set(['list', 's', 'mixed'])).keys()]).toEqual(['_id', 'sub']);
    expect(decodeOnly(bytes, new Set(['sub', 'none', '_id']))).toEqual(
      decodeWithout(bytes, new Set(['list', 's', 'mixed'])),
    );
  });

  test('documents of an array are views', () => {
    const documents = rawDocuments(bytes, 'list');
    expect(documents?.map((document) => decode(document))).toEqual([doc({ a: 1 }), doc({ b: 2 })]);
    expect(documents?.[0]?.buffer).toBe(bytes.buffer);
    expect(rawDocuments(bytes, 'none')).toBeUndefined();
    expect(rawDocuments(bytes, 's')).toBeUndefined();
    expect(rawDocuments(bytes, 'mixed')).toBeUndefined();
  });

  test('are those that decode finds', () => {
    fc.assert(
      fc.property(document, (value) => {
        const encoded = encode(value);
        expect(fieldNames(encoded)).toEqual([...value.keys()]);
        for (const [name, field] of value) expect(identical(getField(encoded, name), field)).toBe(true);
      }),
    );
  });

  test('text of any length and alphabet survives', () => {
    fc.assert(
      fc.property(text, fc.nat(40), (part, times) => {
        const value = part.repeat(times);
        expect(decode(encode(new Map([['a', value]]))).get('a')).toBe(value);
      }),
    );
  });

  test('a view into a larger buffer is read in its own bounds', () => {
    const padded = Buffer.concat([Buffer.from([1, 2, 3]), bytes, Buffer.from([9])]);
    expect(decode(new Uint8Array(padded.buffer, padded.byteOffset + 3, bytes.length))).toEqual(toValue(decode(bytes)));
  });
});
