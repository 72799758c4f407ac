import { fromExtendedJson, toExtendedJson } from '../bson/index.ts';
import { asciiJson, layOut } from './json-text.ts';
import type { Payload, StoredEntry } from './payload.ts';
import { check } from './record-error.ts';
import type { RetryMark } from './types.ts';

const FENCE = '```';
/** `diff` colours lines by their first character: puts green, deletions red. */
const PACK_OPEN = `${FENCE}diff\n`;
const DOC_OPEN = `${FENCE}json\n`;
const MARK = '-# retry ';
const ID = '-# id ';
const LINE = /^([+-])([1-9][0-9]{0,15}) (\{.*\})$/;
const MARK_LINE = /^-# retry ([A-Za-z0-9_-]+) (-?[0-9]{1,19}) (-?[0-9]{1,10}) ([A-Za-z0-9_-]+)$/;
const ID_LINE = /^-# id ([1-9][0-9]{0,15})$/;

/** Documents of more bytes never fit in a message as text: even an array of digits takes 1.5 characters for 8 bytes. */
const TEXT_BYTES_MAX = 10_000;

/** One put, laid out for people where that fits in `room` characters; undefined when it must go to a file. */
export function encodeDoc(payload: Payload, room: number): string | undefined {
  const [entry] = payload.entries;
  const json = entry && exactJson(entry.bytes);
  if (!entry || json === undefined) return undefined;
  const tail = `\n${FENCE}\n${ID}${entry.recordId}${encodeMarks(payload.marks)}`;
  for (const text of [layOut(json), json]) {
    const body = DOC_OPEN + text + tail;
    if (body.length <= room && isExact(text, entry.bytes)) return body;
  }
  return undefined;
}

/** A line for each entry; undefined when that does not fit in `room` characters. */
export function encodePack(payload: Payload, room: number): string | undefined {
  let body = PACK_OPEN;
  for (const { op, recordId, bytes } of payload.entries) {
    const json = exactJson(bytes);
    if (json === undefined) return undefined;
    body += `${op === 'put' ? '+' : '-'}${recordId} ${json}\n`;
    if (body.length > room) return undefined;
  }
  body += FENCE + encodeMarks(payload.marks);
  return body.length <= room ? body : undefined;
}

export function decodeDoc(body: string): Payload {
  const end = body.indexOf(`\n${FENCE}\n`);
  check(body.startsWith(DOC_OPEN) && end >= DOC_OPEN.length, 'a doc record holds one block of JSON');
  const [idLine, ...markLines] = body.slice(end + FENCE.length + 2).split('\n');
  const id = ID_LINE.exec(idLine ?? '');
  check(id, 'a doc record names its recordId');
  const entry = decodeEntry('put', id[1]!, body.slice(DOC_OPEN.length, end));
  return { entries: [entry], marks: markLines.map(decodeMark) };
}

export function decodePack(body: string): Payload {
  check(body.startsWith(PACK_OPEN), 'a pack in text is a block of lines');
  const lines = body.slice(PACK_OPEN.length).split('\n');
  const end = lines.indexOf(FENCE);
  check(end >= 0, 'the block of a pack is closed');
  const entries = lines.slice(0, end).map((text) => {
    const line = LINE.exec(text);
    check(line, 'a line of a pack is +id or -id and a document');
    return decodeEntry(line[1] === '+' ? 'put' : 'delete', line[2]!, line[3]!);
  });
  return { entries, marks: lines.slice(end + 1).map(decodeMark) };
}

function decodeEntry(op: StoredEntry['op'], id: string, json: string): StoredEntry {
  const recordId = Number(id);
  check(Number.isSafeInteger(recordId), 'a recordId is a safe integer');
  const bytes = tryFromJson(json);
  check(bytes, 'a document is not Extended JSON');
  return { op, recordId, bytes };
}

/** The document on one line, if reading it back gives the same bytes. */
function exactJson(bytes: Uint8Array): string | undefined {
  if (bytes.length > TEXT_BYTES_MAX) return undefined;
  const json = asciiJson(toExtendedJson(bytes));
  return isExact(json, bytes) ? json : undefined;
}

function isExact(json: string, bytes: Uint8Array): boolean {
  const back = tryFromJson(json);
  return back !== undefined && Buffer.compare(back, bytes) === 0;
}

/** Undefined where the text is not Extended JSON, whatever way the parser has of saying so. */
function tryFromJson(json: string): Uint8Array | undefined {
  try {
    return fromExtendedJson(json);
  } catch {
    return undefined;
  }
}

function encodeMarks(marks: readonly RetryMark[]): string {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url');
  return marks
    .map(({ lsid, txnNumber, stmtId, result }) => `\n${MARK}${base64(lsid)} ${txnNumber} ${stmtId} ${base64(result)}`)
    .join('');
}

function decodeMark(text: string): RetryMark {
  const line = MARK_LINE.exec(text);
  check(line, 'after the block come retry marks alone');
  const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64url'));
  const lsid = bytes(line[1]!);
  check(lsid.length === 16, 'a session id has 16 bytes');
  return { lsid, txnNumber: BigInt(line[2]!), stmtId: Number(line[3]), result: bytes(line[4]!) };
}
