import { type MessageId, snowflakeTime } from '../store/index.ts';
import { ChunkReader, VARINT_BYTES_MAX, writeVarint } from './chunk-reader.ts';
import { LogRecord } from './log-record.ts';
import { SEQ_MAX } from './nonce.ts';
import { check } from './record-error.ts';

/** A row's flags. Written, so never changed. */
const NEWEST_OF_EPOCH = 1;
const ANSWERS_REPETITIONS = 2;
const CHECKPOINT = 4;
const FLAGS_MAX = NEWEST_OF_EPOCH | ANSWERS_REPETITIONS | CHECKPOINT;

const ID_BYTES = 8;
/** What a row takes beside its bitmap and its list, at most. */
const ROW_BYTES = 5 * VARINT_BYTES_MAX + ID_BYTES + 1;

/** More records are not written down: the checkpoint would take longer to read than it saves. */
export const CHECKPOINT_RECORDS_MAX = 300_000;

/** A record that stands in the channel. */
export interface CheckpointRow {
  readonly record: LogRecord;
  /** It may still have to answer a repeated write. */
  readonly answers: boolean;
  /** It is a checkpoint itself. */
  readonly checkpoint: boolean;
}

/** All that a log knows of its channel: whoever has it needs nothing that is older. */
export interface Checkpoint {
  /** Every record that stands there, by rising sequence, but for the one that carries this. */
  readonly rows: readonly CheckpointRow[];
  /** Messages that count for nothing, or were removed and not seen to be gone. */
  readonly unconfirmed: readonly MessageId[];
}

/** Undefined when a record supersedes entries of one that is in no row: then something is not known, and must not be relied on. */
export function encodeCheckpoint({ rows, unconfirmed }: Checkpoint): Uint8Array | undefined {
  const index = new Map(rows.map(({ record }, at) => [record, at]));
  let bound = 2 * VARINT_BYTES_MAX + unconfirmed.length * ID_BYTES;
  for (const { record } of rows) {
    const older = record.surviving();
    for (const one of older) if (!index.has(one)) return undefined;
    bound += ROW_BYTES + (record.stale?.length ?? 0) + older.size * VARINT_BYTES_MAX;
  }
  const out = Buffer.allocUnsafe(bound);
  let at = writeVarint(out, 0, rows.length);
  let seq = 0;
  for (const { record, answers, checkpoint } of rows) {
    at = writeVarint(out, at, record.seq - seq);
    seq = record.seq;
    at = out.writeBigUInt64BE(record.messageId!, at);
    out[at++] =
      (record.newestOfEpoch ? NEWEST_OF_EPOCH : 0) |
      (answers ? ANSWERS_REPETITIONS : 0) |
      (checkpoint ? CHECKPOINT : 0);
    for (const count of [record.entries, record.deletions, record.live]) at = writeVarint(out, at, count);
    if (record.stale) {
      out.set(record.stale, at);
      at += record.stale.length;
    }
    const older = record.surviving();
    at = writeVarint(out, at, older.size);
    for (const one of older) at = writeVarint(out, at, index.get(one)!);
  }
  at = writeVarint(out, at, unconfirmed.length);
  for (const id of unconfirmed) at = out.writeBigUInt64BE(id, at);
  return out.subarray(0, at);
}

/** Throws RecordError. */
export function decodeCheckpoint(chunks: readonly Uint8Array[]): Checkpoint {
  const reader = new ChunkReader(chunks);
  const rows: CheckpointRow[] = [];
  const count = number(reader, CHECKPOINT_RECORDS_MAX);
  for (let seq = 0; rows.length < count; ) {
    const row = decodeRow(reader, rows, seq);
    seq = row.record.seq;
    rows.push(row);
  }
  const unconfirmed: MessageId[] = [];
  for (let left = number(reader, Number.MAX_SAFE_INTEGER); left > 0; left--) unconfirmed.push(messageId(reader));
  check(reader.ended, 'a checkpoint ends with its last message');
  return { rows, unconfirmed };
}

function decodeRow(reader: ChunkReader, before: readonly CheckpointRow[], seq: number): CheckpointRow {
  const record = new LogRecord();
  record.seq = seq + number(reader, SEQ_MAX - seq);
  check(record.seq > seq, 'the rows of a checkpoint rise');
  record.messageId = messageId(reader);
  const flags = reader.byte();
  check(flags <= FLAGS_MAX, 'a row has flags that this program does not know');
  record.newestOfEpoch = (flags & NEWEST_OF_EPOCH) !== 0;
  record.entries = number(reader, Number.MAX_SAFE_INTEGER);
  record.deletions = number(reader, record.entries);
  record.live = number(reader, record.entries - record.deletions);
  if (record.live > 0 && record.live < record.entries) {
    const stale = reader.bytes(Math.ceil(record.entries / 8)).slice();
    for (let slot = 0; slot < record.entries; slot++) {
      if (((stale[slot >> 3] ?? 0) >> (slot & 7)) & 1) record.retire(slot);
    }
    check(ones(stale) === record.entries - record.live, 'a row counts other slots than it names');
  }
  for (let left = number(reader, before.length); left > 0; left--) {
    const older = before[number(reader, before.length - 1)];
    check(older, 'a row names a row before it');
    record.supersedes(older.record);
  }
  return {
    record,
    answers: (flags & ANSWERS_REPETITIONS) !== 0,
    checkpoint: (flags & CHECKPOINT) !== 0,
  };
}

/** What a checkpoint says to people. */
export function checkpointWords({ rows }: Checkpoint): string {
  const live = rows.filter(({ record }) => record.live > 0).length;
  const newest = rows.at(-1)?.record.messageId;
  const until = newest === undefined ? '' : `, as of ${new Date(snowflakeTime(newest)).toISOString()}`;
  return `What counts stands in ${live} of the messages above${until}`;
}

function number(reader: ChunkReader, max: number): number {
  const value = reader.varint();
  check(value <= BigInt(Math.max(max, 0)), 'a number of a checkpoint is too large');
  return Number(value);
}

function messageId(reader: ChunkReader): MessageId {
  return Buffer.from(reader.bytes(ID_BYTES)).readBigUInt64BE();
}

function ones(bytes: Uint8Array): number {
  let count = 0;
  for (let byte of bytes) for (; byte > 0; byte &= byte - 1) count++;
  return count;
}
