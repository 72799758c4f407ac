import zlib from 'node:zlib';
import fc from 'fast-check';
import { compressSync } from 'snappy';
import { describe, expect, it } from 'vitest';
import { doc, encode } from '../../../src/bson/index.ts';
import { COMPRESSOR } from '../../../src/wire/compressors.ts';
import {
  type CompressorName,
  encodeReply,
  MAX_MESSAGE_SIZE,
  parseRequest,
  supportedCompressors,
  WireError,
} from '../../../src/wire/index.ts';
import { loadWasmZstd } from '../../../src/wire/zstd-wasm.ts';
import {
  message,
  OP_COMPRESSED,
  OP_MSG,
  opCompressed,
  opMsg,
  opQuery,
  readAnswer,
} from '../../support/wire-messages.ts';

const insert = encode(doc({ insert: 'people', $db: 'test' }));
const documents = Array.from({ length: 50 }, (_, n) => encode(doc({ _id: n, name: 'the same again' })));
const hello = encode(doc({ hello: 1, $db: 'admin' }));

const wasm = await loadWasmZstd(3);
const CLIENTS: [CompressorName, number, (bytes: Uint8Array) => Uint8Array][] = [
  ['noop', 0, (bytes) => bytes],
  ['snappy', 1, (bytes) => compressSync(bytes)],
  ['zlib', 2, (bytes) => zlib.deflateSync(bytes)],
  ['zstd', 3, (bytes) => wasm.compress(bytes)],
];

/** Some 0.3 s, but not on a machine that does much else. */
const BULK_TIMEOUT_MS = 30_000;

function refusal(frame: Uint8Array): WireError {
  try {
    parseRequest(frame);
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
  throw new Error('the message was taken');
}

it('offers what it can, best first', () => {
  expect(supportedCompressors()).toEqual(['snappy', 'zstd', 'zlib']);
});

describe.each(CLIENTS)('OP_COMPRESSED with %s', (name, id, squeeze) => {
  it('is read as the message within', () => {
    const inner = opMsg(insert, { requestId: 11, sequences: { documents }, checksum: true });
    const plain = parseRequest(inner);
    const request = parseRequest(opCompressed(inner, id, squeeze));
    expect(request).toMatchObject({ requestId: 11, compressor: name, checksumPresent: true });
    expect(request.sequences.get('documents')?.map((bytes) => Buffer.from(bytes))).toEqual(
      plain.sequences.get('documents')?.map((bytes) => Buffer.from(bytes)),
    );
    expect(parseRequest(opCompressed(opQuery('test.$cmd', insert), id, squeeze))).toMatchObject({
      opcode: 'OP_QUERY',
      db: 'test',
      compressor: name,
    });
  });

  it('is answered likewise, but for the handshake and for secrets', () => {
    expect(parseRequest(opCompressed(opMsg(hello), id, squeeze)).compressor).toBeUndefined();
    const request = parseRequest(opCompressed(opMsg(insert, { requestId: 11, checksum: true }), id, squeeze));
    const body = encode(doc({ ok: 1, text: 'again '.repeat(1000) }));
    const reply = Buffer.concat(encodeReply(request, { requestId: 5, body, moreToCome: false }));
    expect(reply.readInt32LE(0)).toBe(reply.length);
    expect(reply.readInt32LE(4)).toBe(5);
    expect(reply.readInt32LE(8)).toBe(11);
    expect(reply.readInt32LE(12)).toBe(OP_COMPRESSED);
    expect(reply.readInt32LE(16)).toBe(OP_MSG);
    expect(reply[24]).toBe(id);
    const size = reply.readInt32LE(20);
    const payload = COMPRESSOR[name].decompress(reply.subarray(25), size);
    expect(payload).toHaveLength(size);
    const plain = encodeReply({ ...request, compressor: undefined }, { requestId: 5, body, moreToCome: false });
    expect(Buffer.compare(payload, Buffer.concat(plain).subarray(16))).toBe(0);
  });

  it('that lies about its size ends the connection', () => {
    const inner = opMsg(insert, { sequences: { documents } });
    const size = inner.length - 16;
    for (const lie of [size - 1, size + 1, 0, 1, -1, -0x8000_0000, MAX_MESSAGE_SIZE, 0x7fff_ffff]) {
      expect(refusal(opCompressed(inner, id, squeeze, { size: lie }))).toMatchObject({
        fatal: true,
        codeName: 'BadValue',
      });
    }
  });

  it('that holds garbage ends the connection', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(200), (garbage, size) => {
        const frame = opCompressed(message(OP_MSG, garbage), id, (payload) => payload, { size });
        expect(() => parseRequest(frame)).toThrow(WireError);
      }),
      { numRuns: 200 },
    );
  });

  it('takes a message of the greatest size', { timeout: BULK_TIMEOUT_MS }, () => {
    const payload = Buffer.alloc(MAX_MESSAGE_SIZE - 16);
    const packed = COMPRESSOR[name].compress(payload);
    expect(COMPRESSOR[name].decompress(packed, payload.length)).toHaveLength(payload.length);
  });
});

it('a bomb makes no more than it may', { timeout: BULK_TIMEOUT_MS }, () => {
  const bomb = Buffer.alloc(40_000_000);
  for (const [name, id, squeeze] of CLIENTS.slice(1)) {
    const error = refusal(opCompressed(message(OP_MSG, bomb), id, squeeze, { size: 1000 }));
    expect(error, name).toMatchObject({ fatal: true, codeName: 'BadValue' });
  }
});

it('a compressed message within a compressed message ends the connection', () => {
  const inner = opCompressed(opMsg(insert), 0, (bytes) => bytes);
  expect(refusal(opCompressed(inner, 2, (bytes) => zlib.deflateSync(bytes)))).toMatchObject({ fatal: true });
});

it('an unknown compressor or a cut prefix ends the connection', () => {
  expect(refusal(opCompressed(opMsg(insert), 4, (bytes) => bytes)).fatal).toBe(true);
  expect(refusal(message(OP_COMPRESSED, Buffer.alloc(8))).fatal).toBe(true);
});

it('a reply that compression would make too long goes out as it is', () => {
  const body = Buffer.alloc(MAX_MESSAGE_SIZE - 21);
  const request = parseRequest(opCompressed(opMsg(insert, { requestId: 2 }), 0, (bytes) => bytes));
  const [head, sent] = encodeReply(request, { requestId: 1, body, moreToCome: false });
  expect(readAnswer(Buffer.concat([head ?? Buffer.alloc(0), encode(doc({}))])).opcode).toBe(OP_MSG);
  expect(sent).toBe(body);
});

it('the two zstd codecs understand each other', () => {
  const text = Buffer.from('one and two and three and '.repeat(100));
  expect(Buffer.from(wasm.decompress(COMPRESSOR.zstd.compress(text), text.length))).toEqual(text);
  expect(Buffer.from(COMPRESSOR.zstd.decompress(wasm.compress(text), text.length))).toEqual(text);
  expect(() => wasm.decompress(wasm.compress(text), text.length - 1)).toThrow();
});
