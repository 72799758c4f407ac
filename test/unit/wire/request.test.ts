import { describe, expect, it } from 'vitest';
import { decode, doc, encode } from '../../../src/bson/index.ts';
import { parseRequest, WireError } from '../../../src/wire/index.ts';
import {
  bodySection,
  int32,
  message,
  OP_MSG,
  OP_QUERY,
  opMsg,
  opMsgOf,
  opQuery,
  sequenceSection,
} from '../../support/wire-messages.ts';

const ping = encode(doc({ ping: 1, $db: 'admin' }));
const docs = [encode(doc({ _id: 1 })), encode(doc({ _id: 2, name: 'two' }))];
/** A document that claims 100 bytes. */
const tooLong = Buffer.concat([int32(100), Buffer.alloc(20)]);

function refusal(frame: Uint8Array): WireError {
  try {
    parseRequest(frame);
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
  throw new Error('the message was taken');
}

describe('OP_MSG', () => {
  it('is read with a body alone', () => {
    const request = parseRequest(opMsg(ping, { requestId: 42 }));
    expect(request).toMatchObject({
      requestId: 42,
      opcode: 'OP_MSG',
      db: undefined,
      moreToCome: false,
      exhaustAllowed: false,
      checksumPresent: false,
      compressor: undefined,
    });
    expect(Buffer.from(request.body)).toEqual(Buffer.from(ping));
    expect(request.sequences.size).toBe(0);
  });

  it('is read with sequences before and behind the body, as views', () => {
    const frame = opMsgOf([sequenceSection('ops', docs), bodySection(ping), sequenceSection('nsInfo', [])]);
    const request = parseRequest(frame);
    expect([...request.sequences.keys()]).toEqual(['ops', 'nsInfo']);
    expect(request.sequences.get('ops')?.map((bytes) => decode(bytes))).toEqual(docs.map((bytes) => decode(bytes)));
    expect(request.sequences.get('nsInfo')).toEqual([]);
    expect(request.sequences.get('ops')?.every((bytes) => bytes.buffer === frame.buffer)).toBe(true);
    expect(request.body.buffer).toBe(frame.buffer);
  });

  it('tells its flags', () => {
    expect(parseRequest(opMsg(ping, { flags: 2 })).moreToCome).toBe(true);
    expect(parseRequest(opMsg(ping, { flags: 0x1_0000 })).exhaustAllowed).toBe(true);
  });

  it('may have unknown flags among the high 16, which are optional', () => {
    expect(parseRequest(opMsg(ping, { flags: 0x8000_0000 | 0x2_0000 })).moreToCome).toBe(false);
  });

  it.each([1 << 2, 1 << 7, 1 << 15])('with the unknown required flag %i ends the connection', (flags) => {
    expect(refusal(opMsg(ping, { flags }))).toMatchObject({ fatal: true, codeName: 'IllegalOpMsgFlag' });
  });

  it('is taken with a right checksum and ends the connection with a wrong one', () => {
    const frame = opMsg(ping, { checksum: true, sequences: { documents: docs } });
    expect(parseRequest(frame).checksumPresent).toBe(true);
    expect(parseRequest(frame).sequences.get('documents')).toHaveLength(2);
    for (let at = 4; at < frame.length; at++) {
      const damaged = Buffer.from(frame);
      damaged[at] = damaged[at]! ^ 0x20;
      if (at >= 12 && at < 20) continue;
      expect(refusal(damaged)).toMatchObject({ fatal: true, codeName: 'ChecksumMismatch' });
    }
  });

  it('without room for its flags or its checksum ends the connection', () => {
    expect(refusal(message(OP_MSG, Buffer.alloc(3))).fatal).toBe(true);
    expect(refusal(message(OP_MSG, int32(1))).fatal).toBe(true);
    expect(refusal(message(OP_MSG, Buffer.alloc(0))).fatal).toBe(true);
  });

  const body = bodySection(ping);
  const sequence = sequenceSection('documents', docs);
  it.each<[string, Uint8Array[], string]>([
    ['two bodies', [body, body], 'Location40430'],
    ['two sequences of one name', [body, sequence, sequence], 'Location40431'],
    ['an unknown section', [body, Buffer.of(2)], 'Location40432'],
    ['a field in the body and in a sequence', [body, sequenceSection('ping', docs)], 'Location40433'],
    ['no body', [sequence], 'Location40587'],
    ['no section', [], 'Location40587'],
    ['a document too long in the body', [Buffer.of(0), tooLong], 'InvalidBSON'],
    ['a body that is cut short', [body.subarray(0, -1)], 'InvalidBSON'],
    ['a body without a length', [Buffer.of(0, 5)], 'InvalidBSON'],
    ['a body of length 4', [Buffer.of(0), int32(4), Buffer.of(0)], 'InvalidBSON'],
    ['a document too long in a sequence', [body, sequenceSection('documents', [tooLong])], 'InvalidBSON'],
    [
      'a document that leaves its sequence',
      [body, sequenceSection('documents', [ping.subarray(0, -3)])],
      'InvalidBSON',
    ],
    ['a sequence that leaves the message', [body, sequence.subarray(0, -1)], 'ProtocolError'],
    ['a sequence of length -1', [body, Buffer.of(1), int32(-1), Buffer.from('documents\0')], 'ProtocolError'],
    ['a sequence whose name has no end', [body, Buffer.of(1), int32(8), Buffer.from('docs')], 'ProtocolError'],
    ['a sequence without a length', [body, Buffer.of(1, 1)], 'ProtocolError'],
  ])('with %s is answered with an error', (_, sections, codeName) => {
    const error = refusal(opMsgOf(sections, { requestId: 9 }));
    expect(error).toMatchObject({ fatal: false, codeName, replyTo: { requestId: 9, opcode: 'OP_MSG' } });
    expect(refusal(opMsgOf(sections, { flags: 2 }))).toMatchObject({ fatal: false, codeName, replyTo: undefined });
  });

  it('with three sequences ends the connection', () => {
    const sections = ['a', 'b', 'c'].map((name) => sequenceSection(name, []));
    expect(refusal(opMsgOf([body, ...sections]))).toMatchObject({ fatal: true, codeName: 'TooManyDocumentSequences' });
  });
});

describe('OP_QUERY', () => {
  it('is read with the database of its namespace', () => {
    const hello = encode(doc({ isMaster: 1, helloOk: true }));
    const request = parseRequest(opQuery('admin.$cmd', hello, 3));
    expect(request).toMatchObject({ requestId: 3, opcode: 'OP_QUERY', db: 'admin', moreToCome: false });
    expect(decode(request.body)).toEqual(decode(hello));
    expect(parseRequest(opQuery('süß.$cmd', hello)).db).toBe('süß');
  });

  it('with a document too long is answered with an error', () => {
    expect(refusal(opQuery('admin.$cmd', tooLong, 5))).toMatchObject({
      fatal: false,
      codeName: 'InvalidBSON',
      replyTo: { requestId: 5, opcode: 'OP_QUERY' },
    });
  });

  it('of a collection, or without a name, ends the connection', () => {
    expect(refusal(opQuery('test.people', ping))).toMatchObject({ fatal: true, codeName: 'UnsupportedOpQueryCommand' });
    expect(refusal(message(OP_QUERY, Buffer.from('abcdefgh'))).fatal).toBe(true);
    expect(refusal(message(OP_QUERY, Buffer.alloc(2))).fatal).toBe(true);
  });
});

it.each([0, 1, 1000, 2001, 2002, 2004 + 1, 2007, 2010, 2014, -1])('an opcode of %i ends the connection', (opcode) => {
  expect(refusal(message(opcode, Buffer.alloc(8))).fatal).toBe(true);
});
