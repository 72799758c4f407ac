/** `compressorId` of OP_COMPRESSED by name. `noop` is never negotiated, but has a number. */
export type CompressorName = 'noop' | 'snappy' | 'zlib' | 'zstd';

/** What an answer repeats of its question. */
export interface ReplyTo {
  readonly requestId: number;
  readonly opcode: 'OP_MSG' | 'OP_QUERY';
  /** The request carried a CRC-32C, so the reply does. */
  readonly checksumPresent: boolean;
  /** What the request was compressed with, and the reply will be; undefined also for commands that stay in the clear. */
  readonly compressor: CompressorName | undefined;
}

/** A command as it came over the wire, whatever its opcode was. Its documents fit in the message; what is in them has not been looked at. */
export interface WireRequest extends ReplyTo {
  /** The command document (OP_MSG section kind 0), encoded. For OP_QUERY the query, with `$db` from its namespace not yet added. */
  readonly body: Uint8Array;
  /** OP_QUERY: the database of `<db>.$cmd`. OP_MSG: undefined (`$db` is in the body). */
  readonly db: string | undefined;
  /** Section kind 1: documents by field name, still encoded, views into the message. */
  readonly sequences: ReadonlyMap<string, readonly Uint8Array[]>;
  /** The client wants no reply. */
  readonly moreToCome: boolean;
  /** The client takes several replies to this one request. */
  readonly exhaustAllowed: boolean;
}
