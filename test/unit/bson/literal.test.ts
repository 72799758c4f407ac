import { Double, Long, UUID } from 'bson';
import { describe, expect, test } from 'vitest';
import { seededRandom, VirtualClock } from '../../../src/base/index.ts';
import {
  Binary,
  BSONRegExp,
  Code,
  type Doc,
  decode,
  doc,
  encode,
  Int32,
  newObjectId,
  ObjectId,
  RawDoc,
  toPlain,
  toValue,
  type Value,
} from '../../../src/bson/index.ts';

describe('doc and toValue', () => {
  test('take integers for int32 while they fit, and bigint for int64', () => {
    expect(toValue(1)).toEqual(new Int32(1));
    expect(toValue(-2147483648)).toEqual(new Int32(-2147483648));
    expect(toValue(2147483648)).toBe(2147483648);
    expect(toValue(-0)).toBe(-0);
    expect(toValue(1.5)).toBe(1.5);
    expect(toValue(1n)).toBe(1n);
  });

  test('keep what is a value already, and make values of what is not', () => {
    const map: Doc = new Map();
    const date = new Date(0);
    const raw = new RawDoc(encode(map));
    for (const kept of [map, date, raw, new ObjectId(), new UUID()]) expect(toValue(kept)).toBe(kept);
    expect(toValue(Long.fromNumber(5))).toBe(5n);
    expect(toValue(new Double(5))).toBe(5);
    expect(toValue(new Uint8Array([1]))).toEqual(new Binary(new Uint8Array([1]), 0));
    expect(toValue(/a+/gi)).toEqual(new BSONRegExp('a+', 'i'));
    expect(toValue(new Code('f', { a: 1 }))).toMatchObject({ code: 'f', scope: doc({ a: 1 }) });
    expect(() => toValue(() => 1)).toThrow('function');
  });

  test('leave out what is undefined in an object, and keep it in an array', () => {
    expect(doc({ a: undefined, b: [undefined], c: { d: null } })).toEqual(
      new Map<string, Value>([
        ['b', [undefined]],
        ['c', new Map([['d', null]])],
      ]),
    );
  });
});

describe('toPlain', () => {
  test('makes plain objects, and leads back', () => {
    const value = doc({ a: 1, b: { c: [1.5, { d: 5n }] }, e: new ObjectId() });
    expect(toPlain(value)).toEqual({ a: new Int32(1), b: { c: [1.5, { d: 5n }] }, e: value.get('e') });
    expect(toValue(toPlain(value))).toEqual(value);
  });

  test('hands every other value to the caller', () => {
    const numbers = (value: Value) => (value instanceof Int32 ? value.value : value);
    expect(toPlain(doc({ a: [1, { b: 2 }] }), numbers)).toEqual({ a: [1, { b: 2 }] });
  });

  test('takes a raw document apart', () => {
    expect(toPlain([new RawDoc(encode(doc({ a: 'x' })))])).toEqual([{ a: 'x' }]);
  });

  test('gives a field named __proto__ no power', () => {
    const plain = toPlain(new Map([['__proto__', new Map([['admin', true]])]]));
    expect(Object.keys(plain as object)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(plain)).toBe(Object.prototype);
  });
});

describe('newObjectId', () => {
  test('holds the time in seconds, then five bytes of the process, then a counter', () => {
    const env = { clock: new VirtualClock(0x0123_4567 * 1000 + 999), random: seededRandom(1) };
    const [first, second] = [newObjectId(env).toHexString(), newObjectId(env).toHexString()];
    expect(first.slice(0, 8)).toBe('01234567');
    expect(second.slice(0, 18)).toBe(first.slice(0, 18));
    expect(Number.parseInt(second.slice(18), 16)).toBe(Number.parseInt(first.slice(18), 16) + 1);
    const other = newObjectId({ ...env, random: seededRandom(2) }).toHexString();
    expect(other.slice(8, 18)).not.toBe(first.slice(8, 18));
  });

  test('is repeatable from the seed, and the counter wraps', () => {
    const clock = new VirtualClock();
    expect(newObjectId({ clock, random: seededRandom(7) })).toEqual(newObjectId({ clock, random: seededRandom(7) }));
    const last = { next: () => 0xff_ffff / 0x100_0000, bytes: (length: number) => new Uint8Array(length) };
    const ids = [newObjectId({ clock, random: last }), newObjectId({ clock, random: last })];
    expect(ids.map((id) => id.toHexString().slice(18))).toEqual(['ffffff', '000000']);
    expect(decode(encode(new Map([['_id', ids[0]]]))).get('_id')).toEqual(ids[0]);
  });
});
