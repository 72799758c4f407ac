import { crc32c } from '../../src/wire/crc32c.ts';

/** Builds what clients send. Shares nothing with the code under test but the checksum, which has its own known answers. */
export const OP_REPLY = 1;
export const OP_QUERY = 2004;
export const OP_COMPRESSED = 2012;
export const OP_MSG = 2013;

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value | 0);
  return bytes;
}

export function message(opcode: number, payload: Uint8Array, requestId = 7): Buffer {
  return Buffer.concat([int32(16 + payload.length), int32(requestId), int32(0), int32(opcode), payload]);
}

export interface MsgOptions {
  readonly requestId?: number;
  readonly flags?: number;
  readonly sequences?: Readonly<Record<string, readonly Uint8Array[]>>;
  readonly checksum?: boolean;
}

export function bodySection(body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(0), body]);
}

export function sequenceSection(name: string, documents: readonly Uint8Array[]): Buffer {
  const rest = Buffer.concat([Buffer.from(`${name}\0`), ...documents]);
  return Buffer.concat([Buffer.of(1), int32(4 + rest.length), rest]);
}

export function opMsg(body: Uint8Array, options: MsgOptions = {}): Buffer {
  const sequences = Object.entries(options.sequences ?? {}).map(([name, documents]) =>
    sequenceSection(name, documents),
  );
  return opMsgOf([bodySection(body), ...sequences], options);
}

export function opMsgOf(sections: readonly Uint8Array[], options: MsgOptions = {}): Buffer {
  const flags = (options.flags ?? 0) | (options.checksum ? 1 : 0);
  const tail = options.checksum ? [Buffer.alloc(4)] : [];
  const whole = message(OP_MSG, Buffer.concat([int32(flags), ...sections, ...tail]), options.requestId);
  if (options.checksum) whole.writeUInt32LE(crc32c(whole.subarray(0, -4)), whole.length - 4);
  return whole;
}

export function opQuery(namespace: string, body: Uint8Array, requestId = 7): Buffer {
  const payload = Buffer.concat([int32(0), Buffer.from(`${namespace}\0`), int32(0), int32(-1), body]);
  return message(OP_QUERY, payload, requestId);
}

/** Wraps a message whose payload `squeeze` compresses. `size` and `opcode` may lie. */
export function opCompressed(
  inner: Uint8Array,
  id: number,
  squeeze: (payload: Uint8Array) => Uint8Array,
  lies: { size?: number; opcode?: number } = {},
): Buffer {
  const plain = Buffer.from(inner);
  const payload = plain.subarray(16);
  const prefix = [int32(lies.opcode ?? plain.readInt32LE(12)), int32(lies.size ?? payload.length), Buffer.of(id)];
  return message(OP_COMPRESSED, Buffer.concat([...prefix, squeeze(payload)]), plain.readInt32LE(4));
}

export interface Answer {
  readonly requestId: number;
  readonly responseTo: number;
  readonly opcode: number;
  /** OP_MSG flags or OP_REPLY responseFlags. */
  readonly flags: number;
  readonly body: Uint8Array;
  readonly whole: Buffer;
}

/** Reads an uncompressed reply. */
export function readAnswer(bytes: Uint8Array): Answer {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const opcode = whole.readInt32LE(12);
  const bodyAt = opcode === OP_REPLY ? 36 : 21;
  const body = whole.subarray(bodyAt, bodyAt + whole.readInt32LE(bodyAt));
  return {
    requestId: whole.readInt32LE(4),
    responseTo: whole.readInt32LE(8),
    opcode,
    flags: whole.readInt32LE(16),
    body,
    whole,
  };
}
