import fc from 'fast-check';
import { expect, test } from 'vitest';
import { doc, encode } from '../../../src/bson/index.ts';
import { decodeFrames, encodeFrames } from '../../../src/log/frame.ts';
import type { Payload } from '../../../src/log/payload.ts';
import { RecordError } from '../../../src/log/record-error.ts';
import { decodeDoc, decodePack } from '../../../src/log/text.ts';

const payload: Payload = {
  entries: [
    { op: 'put', recordId: 1, bytes: new Uint8Array(encode(doc({ _id: 1 }))) },
    { op: 'delete', recordId: Number.MAX_SAFE_INTEGER, bytes: new Uint8Array(encode(doc({}))) },
  ],
  marks: [
    { lsid: new Uint8Array(16).fill(1), txnNumber: -1n, stmtId: -7, result: new Uint8Array(encode(doc({ n: 1 }))) },
  ],
};

test('frames may be cut into files anywhere', () => {
  const bytes = new Uint8Array(encodeFrames(payload));
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second++) {
      const chunks = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
      const { entries, marks } = decodeFrames(chunks);
      expect(entries.map(({ op, recordId, bytes }) => ({ op, recordId, bytes }))).toEqual(payload.entries);
      expect(marks).toEqual(payload.marks);
    }
  }
});

test('arbitrary bytes and texts are refused with a RecordError or read, never anything else', () => {
  const tame = (read: () => Payload) => {
    try {
      return read();
    } catch (error) {
      expect(error).toBeInstanceOf(RecordError);
      return undefined;
    }
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.string({ unit: 'binary-ascii' }), (noise, text) => {
      tame(() => decodeFrames([noise]));
      tame(() => decodeFrames([Uint8Array.of(1, 1), noise]));
      tame(() => decodeDoc(text));
      tame(() => decodeDoc(`\`\`\`json\n${text}\n\`\`\`\n-# id 1`));
      tame(() => decodePack(`\`\`\`diff\n+1 ${text}\n\`\`\`\n-# retry ${text}`));
    }),
    { numRuns: 500 },
  );
});

test('a document that says it is enormous is refused without making room for it', () => {
  expect(() => decodeFrames([Uint8Array.of(1, 1, 0xff, 0xff, 0xff, 0x7f, 0, 0)])).toThrow(RecordError);
  expect(() => decodeFrames([Uint8Array.of(1, 1, 0xff, 0xff, 0xff, 0xff, 0, 0)])).toThrow(RecordError);
});
