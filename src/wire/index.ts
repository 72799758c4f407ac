export { supportedCompressors } from './compressors.ts';
export { FrameSplitter } from './frame-splitter.ts';
export { MAX_MESSAGE_SIZE } from './header.ts';
export { encodeReply, MAX_REPLY_BODY_SIZE, type OutgoingReply } from './reply.ts';
export { parseRequest } from './request.ts';
export type { CompressorName, ReplyTo, WireRequest } from './types.ts';
export { WireError } from './wire-error.ts';
