import { expect, it } from 'vitest';
import { decode, doc, encode } from '../../../src/bson/index.ts';
import { crc32c } from '../../../src/wire/crc32c.ts';
import { encodeReply, type ReplyTo } from '../../../src/wire/index.ts';
import { OP_MSG, OP_REPLY, readAnswer } from '../../support/wire-messages.ts';

const body = encode(doc({ ok: 1 }));
const to: ReplyTo = { requestId: 42, opcode: 'OP_MSG', checksumPresent: false, compressor: undefined };

it('an OP_MSG is answered with an OP_MSG, whose body is not copied', () => {
  const pieces = encodeReply(to, { requestId: 3, body, moreToCome: false });
  expect(pieces).toContain(body);
  const answer = readAnswer(Buffer.concat(pieces));
  expect(answer).toMatchObject({ requestId: 3, responseTo: 42, opcode: OP_MSG, flags: 0 });
  expect(answer.whole.readInt32LE(0)).toBe(answer.whole.length);
  expect(decode(answer.body)).toEqual(doc({ ok: 1 }));
});

it('a reply that others follow says so', () => {
  expect(readAnswer(Buffer.concat(encodeReply(to, { requestId: 3, body, moreToCome: true }))).flags).toBe(2);
});

it('a request with a checksum gets a reply with one', () => {
  const pieces = encodeReply({ ...to, checksumPresent: true }, { requestId: 3, body, moreToCome: true });
  const { whole, flags } = readAnswer(Buffer.concat(pieces));
  expect(flags).toBe(3);
  expect(whole.readInt32LE(0)).toBe(whole.length);
  expect(whole.readUInt32LE(whole.length - 4)).toBe(crc32c(whole.subarray(0, -4)));
});

it('an OP_QUERY is answered with an OP_REPLY of one document', () => {
  const answer = readAnswer(
    Buffer.concat(encodeReply({ ...to, opcode: 'OP_QUERY' }, { requestId: 3, body, moreToCome: false })),
  );
  expect(answer).toMatchObject({ requestId: 3, responseTo: 42, opcode: OP_REPLY, flags: 8 });
  expect(answer.whole.readInt32LE(0)).toBe(answer.whole.length);
  expect(answer.whole.readBigInt64LE(20)).toBe(0n);
  expect(answer.whole.readInt32LE(28)).toBe(0);
  expect(answer.whole.readInt32LE(32)).toBe(1);
  expect(decode(answer.body)).toEqual(doc({ ok: 1 }));
});
