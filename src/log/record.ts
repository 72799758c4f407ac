import { crc32 } from 'node:zlib';
import { assert } from '../base/index.ts';
import {
  CONTENT_CHARS_MAX,
  type DraftFile,
  FILE_BYTES_MAX,
  FILES_MAX,
  REQUEST_BYTES_MAX,
  REQUEST_OVERHEAD_BYTES,
} from '../store/index.ts';
import { type Checkpoint, checkpointWords, decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';
import { decodeFrames, encodeFrames } from './frame.ts';
import {
  closeContent,
  type DecodedContent,
  decodeContent,
  encodeContent,
  encodeLine,
  hex8,
  type RecordHeader,
  SIGNATURE,
} from './header.ts';
import type { Payload, StoredEntry } from './payload.ts';
import { check } from './record-error.ts';
import { MissingKeyError, type Sealer } from './sealer.ts';
import { decodeDoc, decodePack, encodeDoc, encodePack } from './text.ts';

/** Bytes of payload in one record. */
export const RECORD_BYTES_MAX = 22 * 1024 * 1024;
/** More entries are not tried as text: each takes a line of some characters. */
const TEXT_ENTRIES_MAX = CONTENT_CHARS_MAX / 10;

assert(RECORD_BYTES_MAX + REQUEST_OVERHEAD_BYTES <= REQUEST_BYTES_MAX, 'a full record fits in a request');
assert(
  Math.ceil(RECORD_BYTES_MAX / FILE_BYTES_MAX) <= FILES_MAX,
  'a full record needs no more files than a message has',
);
assert(RECORD_BYTES_MAX > 16 * 1024 * 1024 + 64 * 1024, 'the largest document fits in a record');

/** What to post for a record. */
export interface EncodedRecord {
  readonly content: string;
  readonly files: readonly DraftFile[];
}

/** A file that a record's content names. */
export interface RecordFile {
  readonly name: string;
  readonly size: number;
  readonly crc: string;
}

/** A message's content, read and verified; the payload is decoded by `decodePayload`, with the files it names. */
export interface ParsedRecord extends DecodedContent {
  readonly files: readonly RecordFile[];
}

/** All of a header but what follows from the payload. */
export type RecordPlace = Omit<RecordHeader, 'kind' | 'entries' | 'keyId'>;

/** The payload of a sealed record, where it fits into the text. */
const SEALED_BODY = /^Sealed\.\n-# sealed ([A-Za-z0-9_-]+)$/;
const FILE_LINE = /^-# file ([a-z0-9.]{1,64}) ([1-9][0-9]{0,8}) ([0-9a-f]{8})$/;

/**
 * A single put that fits is a `doc`, nothing at all a `fence`, everything else a `pack`: in text where that fits and reads back to the same
 * bytes, in files otherwise, or when `where` asks for them. With a sealer, what would be a `doc` is a `pack` too, and the
 * payload is to be read by nobody without the key.
 */
export function encodeRecord(
  place: RecordPlace,
  payload: Payload,
  where: 'anywhere' | 'files' = 'anywhere',
  sealer?: Sealer,
): EncodedRecord {
  const { entries } = payload;
  const key = sealer && { keyId: sealer.keyId };
  const header = (kind: RecordHeader['kind']): RecordHeader => ({ ...place, ...key, kind, entries: entries.length });
  if (payload.checkpoint) return encodeManifest(header('checkpoint'), payload.checkpoint, sealer);
  if (entries.length === 0 && payload.marks.length === 0) {
    return { content: encodeContent(header('fence'), fenceText(place.epoch)), files: [] };
  }
  if (sealer) return encodeSealed(header('pack'), payload, where, sealer);
  if (where === 'anywhere' && entries.length <= TEXT_ENTRIES_MAX) {
    const kind = entries.length === 1 && entries[0]!.op === 'put' ? 'doc' : 'pack';
    const room = CONTENT_CHARS_MAX - encodeContent(header(kind), '').length;
    const body = kind === 'doc' ? encodeDoc(payload, room) : encodePack(payload, room);
    if (body !== undefined) return { content: encodeContent(header(kind), body), files: [] };
  }
  const files = splitFiles('pack', place.seq, encodeFrames(payload));
  return { content: encodeContent(header('pack'), nameFiles(inWords(entries), files)), files };
}

/** Always in files: it is for programs, and long. */
function encodeManifest(header: RecordHeader, checkpoint: Checkpoint, sealer: Sealer | undefined): EncodedRecord {
  const line = encodeLine(header);
  const bytes = encodeCheckpoint(checkpoint);
  assert(bytes, 'a checkpoint is written only where everything is known');
  const files = splitFiles('checkpoint', header.seq, sealer ? sealer.seal(line, bytes) : bytes);
  return { content: closeContent(line, nameFiles(checkpointWords(checkpoint), files)), files };
}

function encodeSealed(
  header: RecordHeader,
  payload: Payload,
  where: 'anywhere' | 'files',
  sealer: Sealer,
): EncodedRecord {
  const line = encodeLine(header);
  const sealed = sealer.seal(line, encodeFrames(payload));
  if (where === 'anywhere' && sealed.length < CONTENT_CHARS_MAX) {
    const content = closeContent(line, `Sealed.\n-# sealed ${Buffer.from(sealed).toString('base64url')}`);
    if (content.length <= CONTENT_CHARS_MAX) return { content, files: [] };
  }
  const files = splitFiles('pack', header.seq, sealed);
  return { content: closeContent(line, nameFiles(`Sealed, ${inUnits(sealed.length)}`, files)), files };
}

function nameFiles(words: string, files: readonly DraftFile[]): string {
  const lines = files.map(({ name, bytes }) => `-# file ${name} ${bytes.length} ${hex8(crc32(bytes))}`);
  return [words, ...lines].join('\n');
}

/** What a fence says to people. */
export function fenceText(epoch: number): string {
  return `Epoch ${epoch} begins. What a lower epoch writes from here on does not count.`;
}

/** True for what this program wrote, whole or damaged; false for what others said in the channel. */
export function looksLikeRecord(content: string): boolean {
  return content.startsWith(SIGNATURE);
}

/** Throws RecordError. */
export function parseRecord(content: string): ParsedRecord {
  const decoded = decodeContent(content);
  const { header, body } = decoded;
  const inText = header.keyId === undefined ? body.startsWith('`') : SEALED_BODY.test(body);
  const filed = header.kind === 'checkpoint' || (header.kind === 'pack' && !inText);
  if (!filed) return { ...decoded, files: [] };
  const files = body.split('\n').slice(1).map(parseFileLine);
  check(files.length > 0 && files.length <= FILES_MAX, `a ${header.kind} without a block of lines names its files`);
  return { ...decoded, files };
}

/**
 * `chunks` are the bytes of the files that the record names, in its order. Throws RecordError, and MissingKeyError where
 * the record is sealed and `sealer` does not know the key.
 */
export function decodePayload(record: ParsedRecord, chunks: readonly Uint8Array[], sealer?: Sealer): Payload {
  const { header, files, body } = record;
  if (header.kind === 'fence') return { entries: [], marks: [] };
  checkFiles(files, chunks);
  if (header.kind === 'checkpoint') {
    const opened = header.keyId === undefined ? chunks : [open(record, header.keyId, chunks, sealer)];
    return { entries: [], marks: [], checkpoint: decodeCheckpoint(opened) };
  }
  const payload =
    header.keyId !== undefined
      ? decodeSealed(record, header.keyId, chunks, sealer)
      : files.length > 0
        ? decodeFrames(chunks)
        : header.kind === 'doc'
          ? decodeDoc(body)
          : decodePack(body);
  check(payload.entries.length === header.entries, 'the header counts other entries than there are');
  return payload;
}

function decodeSealed(
  record: ParsedRecord,
  keyId: string,
  chunks: readonly Uint8Array[],
  sealer: Sealer | undefined,
): Payload {
  if (record.files.length > 0) return decodeFrames([open(record, keyId, chunks, sealer)]);
  const sealed = SEALED_BODY.exec(record.body);
  check(sealed, 'a sealed record holds its payload in text or names its files');
  return decodeFrames([open(record, keyId, [Buffer.from(sealed[1]!, 'base64url')], sealer)]);
}

function open(
  { line }: ParsedRecord,
  keyId: string,
  sealed: readonly Uint8Array[],
  sealer: Sealer | undefined,
): Uint8Array {
  if (!sealer) throw new MissingKeyError(keyId);
  return sealer.open(keyId, line, sealed);
}

function checkFiles(files: readonly RecordFile[], chunks: readonly Uint8Array[]): void {
  check(chunks.length === files.length, 'a file is missing');
  for (const [at, { name, size, crc }] of files.entries()) {
    const bytes = chunks[at]!;
    check(bytes.length === size && hex8(crc32(bytes)) === crc, `the checksum of ${name} is wrong`);
  }
}

function parseFileLine(text: string): RecordFile {
  const line = FILE_LINE.exec(text);
  check(line, 'a pack names each file with its size and checksum');
  return { name: line[1]!, size: Number(line[2]), crc: line[3]! };
}

function splitFiles(stem: 'pack' | 'checkpoint', seq: number, bytes: Uint8Array): DraftFile[] {
  assert(bytes.length <= RECORD_BYTES_MAX + REQUEST_OVERHEAD_BYTES, 'a record is bounded');
  const files: DraftFile[] = [];
  for (let start = 0; start < bytes.length; start += FILE_BYTES_MAX) {
    const name = `${stem}${seq}.${files.length + 1}.bin`;
    files.push({ name, bytes: bytes.subarray(start, start + FILE_BYTES_MAX) });
  }
  return files;
}

/** As in `412 documents and 3 deletions, 83 kB`. */
function inWords(entries: readonly StoredEntry[]): string {
  const deletions = entries.filter(({ op }) => op === 'delete').length;
  const documents = entries.length - deletions;
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes.length, 0);
  const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;
  const parts = [
    documents > 0 ? counted(documents, 'document') : '',
    deletions > 0 ? counted(deletions, 'deletion') : '',
  ];
  return `${parts.filter(Boolean).join(' and ') || 'no documents'}, ${inUnits(bytes)}`;
}

function inUnits(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
