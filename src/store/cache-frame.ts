import { crc32 } from 'node:zlib';
import type { Message, MessageId } from './port.ts';
import type { Span } from './spans.ts';

/** What a cache file says, one after the other. Later frames are said on top of all earlier ones. */
export type CacheFrame =
  /** A message that stood in the channel. */
  | { readonly kind: 'message'; readonly id: MessageId }
  /** Of the span, the messages told so far are all there are, but for those that are `gone`. */
  | { readonly kind: 'proof'; readonly span: Span; readonly gone: readonly MessageId[] }
  /** Discord said that it removed these. */
  | { readonly kind: 'removed'; readonly ids: readonly MessageId[] };

/** Length, then CRC-32, of what follows; then the CRC-32 of these two. */
export const FRAME_HEADER_BYTES = 12;
const KINDS = { message: 1, proof: 2, removed: 3 } as const;
const ID_BYTES = 8;

export function encodeMessage({ id, authorId, content, attachments }: Message): Buffer {
  const files = attachments.map(({ name, size, url }) => [name, size, url]);
  const json = Buffer.from(JSON.stringify([authorId, content, files]));
  return Buffer.concat([head(KINDS.message, [id]), json]);
}

export function encodeProof({ from, to }: Span, gone: readonly MessageId[]): Buffer {
  return head(KINDS.proof, [from, to, ...gone]);
}

export function encodeRemoved(ids: readonly MessageId[]): Buffer {
  return head(KINDS.removed, ids);
}

/** Undefined where no program of this version wrote it. A message's text is left alone. */
export function decodeFrame(body: Buffer): CacheFrame | undefined {
  if (body.length < 1 + ID_BYTES) return undefined;
  if (body[0] === KINDS.message) return { kind: 'message', id: body.readBigUInt64LE(1) };
  if ((body.length - 1) % ID_BYTES !== 0) return undefined;
  const ids: MessageId[] = [];
  for (let at = 1; at < body.length; at += ID_BYTES) ids.push(body.readBigUInt64LE(at));
  if (body[0] === KINDS.removed) return { kind: 'removed', ids };
  const [from, to, ...gone] = ids;
  if (body[0] !== KINDS.proof || from === undefined || to === undefined) return undefined;
  return { kind: 'proof', span: { from, to }, gone };
}

/** The message of a frame whose checksum was right. */
export function decodeMessage(body: Buffer): Message {
  const [authorId, content, files] = JSON.parse(body.toString('utf8', 1 + ID_BYTES)) as [
    string,
    string,
    [string, number, string][],
  ];
  const attachments = files.map(([name, size, url]) => ({ name, size, url }));
  return { id: body.readBigUInt64LE(1), content, attachments, authorId };
}

export function frame(body: Uint8Array): Buffer {
  const bytes = Buffer.alloc(FRAME_HEADER_BYTES + body.length);
  bytes.writeUInt32LE(body.length, 0);
  bytes.writeUInt32LE(crc32(body), 4);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 8)), 8);
  bytes.set(body, FRAME_HEADER_BYTES);
  return bytes;
}

/**
 * The body of the frame that `bytes` begin with. `torn`: the bytes end before the frame does, as they do where writing
 * was cut off. `damaged`: no frame was ever written like that.
 */
export function unframe(bytes: Buffer): Buffer | 'torn' | 'damaged' {
  if (bytes.length < FRAME_HEADER_BYTES) return 'torn';
  if (bytes.readUInt32LE(8) !== crc32(bytes.subarray(0, 8))) return 'damaged';
  const end = FRAME_HEADER_BYTES + bytes.readUInt32LE(0);
  if (bytes.length < end) return 'torn';
  const body = bytes.subarray(FRAME_HEADER_BYTES, end);
  return bytes.readUInt32LE(4) === crc32(body) ? body : 'damaged';
}

function head(kind: number, ids: readonly MessageId[]): Buffer {
  const bytes = Buffer.alloc(1 + ID_BYTES * ids.length);
  bytes[0] = kind;
  for (const [at, id] of ids.entries()) bytes.writeBigUInt64LE(id, 1 + ID_BYTES * at);
  return bytes;
}
