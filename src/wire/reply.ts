import { writeInt32 } from './bytes.ts';
import { pack } from './compressed.ts';
import { crc32c } from './crc32c.ts';
import { HEADER_SIZE, MAX_MESSAGE_SIZE, OPCODE, readHeader, writeHeader } from './header.ts';
import { CHECKSUM_SIZE, FLAG, replyPrefix } from './op-msg.ts';
import type { ReplyTo } from './types.ts';

/** `responseFlags` int32, `cursorID` int64, `startingFrom` int32, `numberReturned` int32. */
const OP_REPLY_PREFIX_SIZE = 20;
/** Set by every MongoDB of the last decade: the server knows the AwaitData option. */
const AWAIT_CAPABLE = 1 << 3;

/** The largest document that fits in a reply of either kind. */
export const MAX_REPLY_BODY_SIZE = MAX_MESSAGE_SIZE - HEADER_SIZE - OP_REPLY_PREFIX_SIZE - CHECKSUM_SIZE;

export interface OutgoingReply {
  readonly requestId: number;
  /** At most MAX_REPLY_BODY_SIZE bytes. */
  readonly body: Uint8Array;
  /** Another reply to the same request follows (OP_MSG only). */
  readonly moreToCome: boolean;
}

/** The message in pieces that go out one after another; the body is among them as it is, unless it was compressed. */
export function encodeReply(to: ReplyTo, reply: OutgoingReply): readonly Uint8Array[] {
  const plain = to.opcode === 'OP_MSG' ? msgReply(to, reply) : queryReply(to, reply);
  return compressed(to, plain);
}

function msgReply(to: ReplyTo, reply: OutgoingReply): Uint8Array[] {
  const flags = (to.checksumPresent ? FLAG.checksumPresent : 0) | (reply.moreToCome ? FLAG.moreToCome : 0);
  const prefix = replyPrefix(flags);
  const length = HEADER_SIZE + prefix.length + reply.body.length + (to.checksumPresent ? CHECKSUM_SIZE : 0);
  const head = headed(to, reply.requestId, OPCODE.OP_MSG, length, prefix);
  if (!to.checksumPresent) return [head, reply.body];
  const checksum = new Uint8Array(CHECKSUM_SIZE);
  writeInt32(checksum, 0, crc32c(reply.body, crc32c(head)));
  return [head, reply.body, checksum];
}

function queryReply(to: ReplyTo, reply: OutgoingReply): Uint8Array[] {
  const prefix = new Uint8Array(OP_REPLY_PREFIX_SIZE);
  writeInt32(prefix, 0, AWAIT_CAPABLE);
  writeInt32(prefix, 16, 1);
  const length = HEADER_SIZE + prefix.length + reply.body.length;
  return [headed(to, reply.requestId, OPCODE.OP_REPLY, length, prefix), reply.body];
}

/** Header and prefix in one piece. */
function headed(to: ReplyTo, requestId: number, opcode: number, length: number, prefix: Uint8Array): Uint8Array {
  const head = new Uint8Array(HEADER_SIZE + prefix.length);
  writeHeader(head, { length, requestId, responseTo: to.requestId, opcode });
  head.set(prefix, HEADER_SIZE);
  return head;
}

function compressed(to: ReplyTo, plain: Uint8Array[]): Uint8Array[] {
  if (!to.compressor) return plain;
  const message = Buffer.concat(plain);
  const header = readHeader(message);
  const [prefix, content] = pack(to.compressor, header.opcode, message.subarray(HEADER_SIZE));
  const length = HEADER_SIZE + prefix.length + content.length;
  // Noise grows when it is compressed, and a message at the limit has no room for that.
  if (length > MAX_MESSAGE_SIZE) return plain;
  return [headed(to, header.requestId, OPCODE.OP_COMPRESSED, length, prefix), content];
}
