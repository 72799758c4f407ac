import { crc32 } from 'node:zlib';
import { assert } from '../base/index.ts';
import type { LiveSetDigest } from './live-set.ts';
import { EPOCH_MAX, SEQ_MAX } from './nonce.ts';
import { check } from './record-error.ts';

/** Written, so never renamed. `decision` is reserved for DESIGN 8. */
export type RecordKind = 'doc' | 'pack' | 'fence' | 'checkpoint';

/** What is written. Version 1 had no `ahead`; it is read for ever. */
export const FORMAT_VERSION = 2;

/** The line above the payload: where the record stands, and the state of the whole log after it. */
export interface RecordHeader {
  readonly kind: RecordKind;
  readonly epoch: number;
  /** The first sequence that `epoch` could write: what a lower epoch wrote from there on does not count. */
  readonly since: number;
  readonly seq: number;
  readonly entries: number;
  /** Live documents. */
  readonly documents: number;
  /** Entries ever written that superseded or deleted something. */
  readonly superseding: number;
  readonly live: LiveSetDigest;
  /** The lowest recordId that was never given to a document. */
  readonly nextRecordId: number;
  /** See `secondsAhead`: the most among all documents in records before this one; in one of version 1 undefined: nothing is known. */
  readonly ahead: number | undefined;
  /** Which key sealed the payload; in a fence, which one its owner seals with. Absent: the payload is plain. */
  readonly keyId?: string;
}

/** `-#` is Discord's subtext: the line shows small. What every message of this program begins with. */
export const SIGNATURE = '-# discodb ';

const NUMBER = '(0|[1-9][0-9]{0,15})';
const HEADER = new RegExp(
  `^-# discodb ([12]) ([a-z]+) epoch ${NUMBER} since ${NUMBER} seq ${NUMBER} entries ${NUMBER} docs ${NUMBER} ` +
    `superseding ${NUMBER} live ${NUMBER} ([0-9a-f]{16}) next ${NUMBER}(?: ahead ${NUMBER})?(?: key ([0-9a-f]{8}))?$`,
);
/** The checksum closes the first line and covers everything else in the content. */
const CHECKSUM = / crc ([0-9a-f]{8})$/;
const VERSION = /^-# discodb ([0-9]+) /;

export function hex8(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}

/** The header without its checksum: what a seal authenticates. */
export function encodeLine(header: RecordHeader): string {
  const { kind, epoch, since, seq, entries, documents, superseding, live, nextRecordId, ahead, keyId } = header;
  assert(ahead !== undefined, 'records are written in the newest version only');
  const line =
    `${SIGNATURE}${FORMAT_VERSION} ${kind} epoch ${epoch} since ${since} seq ${seq} entries ${entries} docs ${documents} ` +
    `superseding ${superseding} live ${live.count} ${live.digest.toString(16).padStart(16, '0')} next ${nextRecordId} ahead ${ahead}`;
  return keyId === undefined ? line : `${line} key ${keyId}`;
}

/** The whole content: header line with checksum, then `body`. */
export function closeContent(line: string, body: string): string {
  return `${line} crc ${hex8(crc32(`${line}\n${body}`))}\n${body}`;
}

export function encodeContent(header: RecordHeader, body: string): string {
  return closeContent(encodeLine(header), body);
}

/** A content in its parts; `line` is the header without its checksum. */
export interface DecodedContent {
  readonly header: RecordHeader;
  readonly line: string;
  readonly body: string;
}

/** Throws RecordError unless every bit of `content` is as it was written. */
export function decodeContent(content: string): DecodedContent {
  check(content.startsWith(SIGNATURE), 'not a record of DiscoDB');
  const version = Number(VERSION.exec(content)?.[1]);
  check(
    version <= FORMAT_VERSION,
    `record format ${version} is newer than this program, which knows ${FORMAT_VERSION}`,
  );
  const lineEnd = content.indexOf('\n');
  check(lineEnd >= 0, 'the record ends in its header');
  const body = content.slice(lineEnd + 1);
  const closed = content.slice(0, lineEnd);
  const checksum = CHECKSUM.exec(closed);
  check(checksum, 'the header has no checksum');
  const line = closed.slice(0, checksum.index);
  check(checksum[1] === hex8(crc32(`${line}\n${body}`)), 'the checksum of the content is wrong');
  return { header: decodeLine(line), line, body };
}

function decodeLine(line: string): RecordHeader {
  const fields = HEADER.exec(line);
  check(fields, 'the header does not follow the grammar');
  const kind = fields[2]!;
  check(isKind(kind), `this program knows no records of kind ${kind}`);
  const number = (at: number) => Number(fields[at]);
  const [epoch, since, seq, entries] = [number(3), number(4), number(5), number(6)];
  const [documents, superseding, count, nextRecordId] = [number(7), number(8), number(9), number(11)];
  const ahead = fields[12] === undefined ? undefined : number(12);
  const numbers = [epoch, since, seq, entries, documents, superseding, count, nextRecordId, ahead ?? 0];
  check(numbers.every(Number.isSafeInteger), 'a number of the header is too large');
  check(epoch <= EPOCH_MAX && seq >= 1 && seq <= SEQ_MAX && since <= seq, 'epoch or sequence is out of range');
  check((fields[1] === '1') === (ahead === undefined), 'the header is of another version than it says');
  const live = { count, digest: BigInt(`0x${fields[10]}`) };
  const header = { kind, epoch, since, seq, entries, documents, superseding, live, nextRecordId, ahead };
  return fields[13] === undefined ? header : { ...header, keyId: fields[13] };
}

function isKind(kind: string): kind is RecordKind {
  return kind === 'doc' || kind === 'pack' || kind === 'fence' || kind === 'checkpoint';
}
