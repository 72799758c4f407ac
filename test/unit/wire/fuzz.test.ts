import zlib from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { doc, encode } from '../../../src/bson/index.ts';
import { FrameSplitter, parseRequest, WireError } from '../../../src/wire/index.ts';
import { int32, message, opCompressed, opMsg, opQuery } from '../../support/wire-messages.ts';

const body = encode(doc({ insert: 'c', $db: 'd', ordered: true }));
const documents = [encode(doc({ _id: 1, a: 'text' })), encode(doc({ _id: 2, b: [1, 2] }))];
const SEEDS = [
  opMsg(body),
  opMsg(body, { sequences: { documents, other: [] } }),
  opMsg(body, { sequences: { documents }, checksum: true }),
  opQuery('admin.$cmd', body),
  opCompressed(opMsg(body, { sequences: { documents } }), 0, (bytes) => bytes),
  opCompressed(opMsg(body, { sequences: { documents } }), 2, (bytes) => zlib.deflateSync(bytes)),
];

/** A request whose parts lie within the message, or a WireError. */
function parseSoundly(frame: Uint8Array): void {
  try {
    const request = parseRequest(frame);
    expect(request.body.length).toBeGreaterThanOrEqual(5);
    expect(Buffer.from(request.body).readInt32LE()).toBe(request.body.length);
    for (const sequence of request.sequences.values()) {
      for (const bytes of sequence) expect(Buffer.from(bytes).readInt32LE()).toBe(bytes.length);
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
}

it('random payloads make nothing but a WireError', () => {
  const opcodes = fc.constantFrom(1, 2004, 2012, 2013, 2014);
  fc.assert(
    fc.property(opcodes, fc.uint8Array({ maxLength: 200 }), (opcode, payload) =>
      parseSoundly(message(opcode, payload)),
    ),
    { numRuns: 3000 },
  );
});

it('mutated messages make nothing but a WireError', () => {
  const mutation = fc.record({
    at: fc.nat(400),
    bytes: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 4 }),
      fc.constantFrom(-1, 0, 1, 4, 5, 0x7fff_ffff, -0x8000_0000).map((value) => Uint8Array.from(int32(value))),
    ),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...SEEDS),
      fc.array(mutation, { maxLength: 4 }),
      fc.nat(400),
      (seed, mutations, cut) => {
        const frame = Buffer.from(seed.subarray(0, Math.max(16, seed.length - (cut % seed.length))));
        for (const { at, bytes } of mutations) frame.set(bytes.subarray(0, 1), at % frame.length);
        for (const { at, bytes } of mutations) if (at + bytes.length <= frame.length) frame.set(bytes, at);
        parseSoundly(frame);
      },
    ),
    { numRuns: 5000 },
  );
});

it('a random stream makes frames or a WireError', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 }), (chunks) => {
      const splitter = new FrameSplitter();
      try {
        for (const chunk of chunks) {
          splitter.push(chunk);
          for (let frame = splitter.next(); frame; frame = splitter.next()) parseSoundly(frame);
        }
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
});
