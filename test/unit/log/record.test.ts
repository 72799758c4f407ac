import fc from 'fast-check';
import { expect, test } from 'vitest';
import { doc, encode } from '../../../src/bson/index.ts';
import type { Payload, StoredEntry } from '../../../src/log/payload.ts';
import type { RecordPlace } from '../../../src/log/record.ts';
import { decodePayload, encodeRecord, parseRecord } from '../../../src/log/record.ts';
import { RecordError } from '../../../src/log/record-error.ts';
import { CONTENT_CHARS_MAX, FILE_BYTES_MAX } from '../../../src/store/index.ts';

const PLACE: RecordPlace = {
  epoch: 3,
  since: 40,
  seq: 42,
  documents: 17,
  superseding: 5,
  live: { count: 9, digest: 0xfedc_ba98_7654_3210n },
  nextRecordId: 19,
  ahead: 0,
};

function roundTrip(payload: Payload, where?: 'files') {
  const { content, files } = encodeRecord(PLACE, payload, where);
  expect(content).toMatch(/^[\x20-\x7e\n]+$/);
  expect(content.length).toBeLessThanOrEqual(CONTENT_CHARS_MAX);
  expect(content.trim()).toBe(content);
  const parsed = parseRecord(content);
  expect(parsed.header).toMatchObject({ ...PLACE, entries: payload.entries.length });
  expect(parsed.files.map(({ name, size }) => [name, size])).toEqual(
    files.map(({ name, bytes }) => [name, bytes.length]),
  );
  const read = decodePayload(
    parsed,
    files.map(({ bytes }) => bytes),
  );
  const plain = ({ entries, marks }: Payload) => ({
    entries: entries.map(({ op, recordId, bytes }) => ({ op, recordId, bytes: Buffer.from(bytes).toString('hex') })),
    marks: marks.map((mark) => ({
      ...mark,
      lsid: Buffer.from(mark.lsid).toString('hex'),
      result: Buffer.from(mark.result).toString('hex'),
    })),
  });
  expect(plain(read)).toEqual(plain(payload));
  return { kind: parsed.header.kind, content, files };
}

const put = (recordId: number, fields: object): StoredEntry => ({ op: 'put', recordId, bytes: encode(doc(fields)) });
const mark = { lsid: new Uint8Array(16).fill(9), txnNumber: 5n, stmtId: 0, result: encode(doc({ n: 1 })) };

test('one document is laid out for people', () => {
  const { content, kind } = roundTrip({ entries: [put(18, { _id: 1, name: 'Ada', tags: ['a', 'b'] })], marks: [mark] });
  expect(kind).toBe('doc');
  expect(content.split('\n').slice(1, 6)).toEqual([
    '```json',
    '{',
    '  "_id":1,',
    '  "name":"Ada",',
    '  "tags":["a","b"]',
  ]);
});

test('several entries are a line each', () => {
  const gone: StoredEntry = { op: 'delete', recordId: 7, bytes: encode(doc({ _id: 'x' })) };
  const { content, kind, files } = roundTrip({ entries: [put(18, { _id: 1 }), gone], marks: [mark] });
  expect({ kind, files }).toEqual({ kind: 'pack', files: [] });
  expect(content.split('\n').slice(1, 5)).toEqual(['```diff', '+18 {"_id":1}', '-7 {"_id":"x"}', '```']);
});

test.each([
  ['backticks and what is not ASCII', { s: '```\u0000\u007f\u00e9\ud83d\ude00\u2028', '`k`': 1 }],
  ['numbers of every type', { a: 1, b: 1.5, c: -0, d: Number.NaN, e: 2n ** 60n, f: 1e21 }],
  ['field names that look like operators or numbers', { 1: 1, 0: 2, $numberInt: '5', __proto__x: 1 }],
  ['an empty document', {}],
  ['nested empties', { a: {}, b: [], c: [{}], d: '' }],
  ['quotes and brackets in strings', { a: '"},{[', b: '\\"', c: ',' }],
])('%s come back byte for byte', (_, fields) => {
  roundTrip({ entries: [put(1, fields)], marks: [] });
  roundTrip({ entries: [put(1, fields), put(2, fields)], marks: [] });
});

test('an array with keys of its own, which plain JSON cannot keep, comes back byte for byte', () => {
  const bytes = new Uint8Array(Buffer.from('14000000 046100 0c000000 10350001000000 00 00'.replaceAll(' ', ''), 'hex'));
  roundTrip({ entries: [{ op: 'put', recordId: 1, bytes }], marks: [] });
});

test('what does not fit in text goes to a file, and the text says what it holds', () => {
  const entries = Array.from({ length: 412 }, (_, at) => put(at + 1, { _id: at, text: 'x'.repeat(170) }));
  const gone: StoredEntry = { op: 'delete', recordId: 7, bytes: encode(doc({ _id: 'x' })) };
  const { content, files } = roundTrip({ entries: [...entries, gone], marks: [mark] });
  expect(content.split('\n')[1]).toBe('412 documents and 1 deletion, 80 kB');
  expect(files.map(({ name }) => name)).toEqual(['pack42.1.bin']);
});

test('a document over the end of a file is put together again', () => {
  const big = 'x'.repeat(FILE_BYTES_MAX - 100);
  const { files } = roundTrip({ entries: [put(1, { big }), put(2, { big }), put(3, { a: 1 })], marks: [mark] });
  expect(files.map(({ bytes }) => bytes.length)).toEqual([FILE_BYTES_MAX, expect.any(Number)]);
});

test('documents in a file are views of it', () => {
  const { content, files } = encodeRecord(PLACE, { entries: [put(1, { a: 1 }), put(2, { a: 2 })], marks: [] }, 'files');
  const { entries } = decodePayload(parseRecord(content), [files[0]!.bytes]);
  expect(entries.every(({ bytes }) => bytes.buffer === files[0]!.bytes.buffer)).toBe(true);
});

const anyName = fc.string({ unit: 'grapheme' }).filter((name) => name !== '__proto__');
const { tree: anyFields } = fc.letrec<{ tree: Record<string, unknown>; value: unknown }>((tie) => ({
  tree: fc.dictionary(anyName, tie('value'), { maxKeys: 4 }),
  value: fc.oneof(
    { maxDepth: 3 },
    fc.string({ unit: 'binary' }),
    fc.double(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 20 }),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('tree'),
  ),
}));
const anyEntry = fc.tuple(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), anyFields, fc.boolean()).map(
  ([recordId, fields, isPut]): StoredEntry => ({
    op: isPut ? 'put' : 'delete',
    recordId,
    bytes: encode(doc(fields)),
  }),
);
const anyMark = fc.record({
  lsid: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  txnNumber: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  stmtId: fc.integer(),
  result: fc.constant(encode(doc({ n: 1 }))),
});
const anyPayload = fc.record({
  entries: fc.array(anyEntry, { maxLength: 8 }),
  marks: fc.array(anyMark, { maxLength: 3 }),
});

test('any payload comes back, as text and in files', () => {
  fc.assert(
    fc.property(
      anyPayload.filter(({ entries, marks }) => entries.length + marks.length > 0),
      (payload) => {
        roundTrip(payload);
        roundTrip(payload, 'files');
      },
    ),
    { numRuns: 200 },
  );
});

/** Runs the codec on bytes from outside. True when it took them. */
function accepts(content: string, chunks: readonly Uint8Array[]): boolean {
  try {
    decodePayload(parseRecord(content), chunks);
    return true;
  } catch (error) {
    if (error instanceof RecordError) return false;
    throw error;
  }
}

test('a record with one change anywhere is refused, with nothing but a RecordError', () => {
  const entries = [put(1, { a: 'text' }), put(2, { b: [1, 2] })];
  const text = encodeRecord(PLACE, { entries, marks: [mark] }).content;
  const filed = encodeRecord(PLACE, { entries, marks: [mark] }, 'files');
  const [bytes] = filed.files.map((file) => file.bytes);
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 0x20, max: 0x7e }), fc.boolean(), (where, code, cut) => {
      const char = String.fromCharCode(code);
      const change = (content: string) => {
        const at = where % content.length;
        return content.slice(0, at) + (cut ? '' : char) + content.slice(at + 1);
      };
      for (const content of [text, filed.content]) {
        const changed = change(content);
        if (changed !== content) expect(accepts(changed, [bytes!])).toBe(false);
      }
      const damaged = bytes!.slice();
      damaged[where % damaged.length]! ^= 1 + (code % 255);
      expect(accepts(filed.content, [damaged])).toBe(false);
      expect(accepts(filed.content, [bytes!.subarray(0, where % bytes!.length)])).toBe(false);
    }),
  );
  expect(accepts(text, [])).toBe(true);
  expect(accepts(filed.content, [])).toBe(false);
});
