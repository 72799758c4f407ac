import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameSplitter, MAX_MESSAGE_SIZE, WireError } from '../../../src/wire/index.ts';
import { int32, message, OP_MSG } from '../../support/wire-messages.ts';

function drain(splitter: FrameSplitter): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let frame = splitter.next(); frame; frame = splitter.next()) frames.push(frame);
  return frames;
}

describe('FrameSplitter', () => {
  it('gives each message of a chunk as a view on it', () => {
    const one = message(OP_MSG, Buffer.from('one'));
    const two = message(OP_MSG, Buffer.from('twofold'));
    const chunk = Buffer.concat([one, two]);
    const splitter = new FrameSplitter();
    splitter.push(chunk);
    const frames = drain(splitter);
    expect(frames).toEqual([one, two]);
    expect(frames.every((frame) => frame.buffer === chunk.buffer)).toBe(true);
  });

  it('finds the same messages wherever the stream is cut', () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 8 });
    const cuts = fc.array(fc.nat(2000), { maxLength: 40 });
    fc.assert(
      fc.property(payloads, cuts, fc.boolean(), (contents, places, eager) => {
        const messages = contents.map((content) => message(OP_MSG, content));
        const stream = Buffer.concat(messages);
        const splitter = new FrameSplitter();
        const frames: Uint8Array[] = [];
        let from = 0;
        for (const to of [...new Set(places.map((place) => place % stream.length)), stream.length].sort(
          (a, b) => a - b,
        )) {
          splitter.push(stream.subarray(from, to));
          if (eager) frames.push(...drain(splitter));
          from = to;
        }
        frames.push(...drain(splitter));
        expect(frames.map((frame) => Buffer.from(frame))).toEqual(messages);
      }),
    );
  });

  it('takes a message byte by byte', () => {
    const whole = message(OP_MSG, Buffer.alloc(1000, 'x'));
    const splitter = new FrameSplitter();
    for (const byte of whole) {
      expect(splitter.next()).toBeUndefined();
      splitter.push(Buffer.of(byte));
    }
    expect(drain(splitter)).toEqual([whole]);
  });

  it('takes a message of the greatest size in chunks of the usual size, in linear time', { timeout: 30_000 }, () => {
    const whole = message(OP_MSG, Buffer.alloc(MAX_MESSAGE_SIZE - 16, 1));
    const splitter = new FrameSplitter();
    for (let at = 0; at < whole.length; at += 65_536) {
      expect(splitter.next()).toBeUndefined();
      splitter.push(whole.subarray(at, at + 65_536));
    }
    const frame = splitter.next();
    expect(frame && Buffer.compare(frame, whole)).toBe(0);
  });

  const good = message(OP_MSG, Buffer.from('good'));

  it.each([
    0,
    15,
    -1,
    MAX_MESSAGE_SIZE + 1,
    0x7fffffff,
  ])('refuses a length of %i, after what came before it', (length) => {
    refuses(Buffer.concat([int32(length), good.subarray(4)]));
  });

  it('refuses an unknown opcode before the message has come', () => {
    refuses(message(0x01020304, Buffer.alloc(1000)));
    // A TLS greeting, whose first bytes read as a length of 33,620,758.
    refuses(Buffer.from('16030102000100fcfcfcfcfcfcfcfcfc', 'hex'));
  });

  it('has an answer for HTTP', () => {
    const splitter = new FrameSplitter();
    splitter.push(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    const farewell = thrownBy(splitter)?.farewell;
    expect(String(farewell)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  });

  /** However the stream is cut, all before `bad` is given, and its header alone makes an error. */
  function refuses(bad: Uint8Array): void {
    const stream = Buffer.concat([good, bad.subarray(0, 16)]);
    for (let cut = good.length; cut < stream.length; cut++) {
      const splitter = new FrameSplitter();
      splitter.push(stream.subarray(0, cut));
      expect(splitter.next()).toEqual(good);
      expect(splitter.next()).toBeUndefined();
      splitter.push(stream.subarray(cut));
      expect(thrownBy(splitter)?.fatal).toBe(true);
    }
  }

  function thrownBy(splitter: FrameSplitter): WireError | undefined {
    try {
      splitter.next();
    } catch (error) {
      if (error instanceof WireError) return error;
      throw error;
    }
    return undefined;
  }
});
