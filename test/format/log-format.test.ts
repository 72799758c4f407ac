import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { doc, encode, ObjectId } from '../../src/bson/index.ts';
import type { Checkpoint } from '../../src/log/checkpoint.ts';
import { encodeFence, fenceHeader } from '../../src/log/fence.ts';
import { KeyRing } from '../../src/log/index.ts';
import { LogRecord } from '../../src/log/log-record.ts';
import type { Payload } from '../../src/log/payload.ts';
import { decodePayload, encodeRecord, parseRecord, type RecordPlace } from '../../src/log/record.ts';

/*
 * Bytes that stand in channels of real users. A golden file is never changed: a new format version adds files of its
 * own, and the old ones must still be read. Those of the current version must also be written as they are.
 */

const PLACE: RecordPlace = {
  epoch: 3,
  since: 40,
  seq: 42,
  documents: 17,
  superseding: 5,
  live: { count: 9, digest: 0x0123_4567_89ab_cdefn },
  nextRecordId: 19,
  ahead: 3,
};

const ada = encode(
  doc({
    _id: new ObjectId('65f0c0ffee0123456789abcd'),
    name: 'Ada Lovelace',
    born: new Date(Date.UTC(1815, 11, 10)),
    notes: 7n,
    quote: 'caf\u00e9 `code`',
  }),
);
const gone = encode(doc({ _id: 'gone' }));
const mark = {
  lsid: Uint8Array.from({ length: 16 }, (_, at) => at),
  txnNumber: 12n,
  stmtId: 0,
  result: encode(doc({ n: 1 })),
};
const oneDocument: Payload = { entries: [{ op: 'put', recordId: 18, bytes: ada }], marks: [mark] };
const changes: Payload = {
  entries: [
    { op: 'put', recordId: 18, bytes: ada },
    { op: 'delete', recordId: 7, bytes: gone },
  ],
  marks: [mark],
};

/** The key of 32 bytes 00 01 02 ..., in channel 1234567890, with an IV of 12 bytes 40 41 42 ... */
const sealer = KeyRing.parse(Buffer.from(Uint8Array.from({ length: 32 }, (_, at) => at)).toString('hex')).forChannel(
  '1234567890',
  { next: () => 0, bytes: (length) => Uint8Array.from({ length }, (_, at) => 0x40 + at) },
);

const golden = (name: string) => readFileSync(new URL(`golden/${name}`, import.meta.url));
const text = (name: string) => golden(name).toString('latin1');

/** What older versions did not say. */
const PLACES: Readonly<Record<string, RecordPlace>> = { v1: { ...PLACE, ahead: undefined }, v2: PLACE };

function sameAs(payload: Payload, name: string, files: readonly Uint8Array[]) {
  const parsed = parseRecord(text(name));
  const { kind, entries, keyId, ...place } = parsed.header;
  expect(place).toEqual(PLACES[name.slice(0, 2)]);
  expect(entries).toBe(payload.entries.length);
  const read = decodePayload(parsed, files, keyId === undefined ? undefined : sealer);
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  const plain = (of: Payload) => [
    of.entries.map(({ op, recordId, bytes }) => [op, recordId, hex(bytes)]),
    of.marks.map(({ lsid, txnNumber, stmtId, result }) => [hex(lsid), txnNumber, stmtId, hex(result)]),
  ];
  expect(plain(read)).toEqual(plain(payload));
  return kind;
}

test.each(['v1', 'v2'])('version %s: read', (version) => {
  expect(sameAs(oneDocument, `${version}-doc.txt`, [])).toBe('doc');
  expect(sameAs(changes, `${version}-pack.txt`, [])).toBe('pack');
  expect(sameAs(changes, `${version}-file.txt`, [golden('v1-file.bin')])).toBe('pack');
  expect(sameAs(changes, `${version}-sealed.txt`, [])).toBe('pack');
  expect(sameAs(changes, `${version}-sealed-file.txt`, [golden(`${version}-sealed-file.bin`)])).toBe('pack');
});

test('a document', () => {
  expect(encodeRecord(PLACE, oneDocument)).toEqual({ content: text('v2-doc.txt'), files: [] });
});

test('a pack as text', () => {
  expect(encodeRecord(PLACE, changes)).toEqual({ content: text('v2-pack.txt'), files: [] });
});

test('a pack in a file', () => {
  const { content, files } = encodeRecord(PLACE, changes, 'files');
  expect(content).toBe(text('v2-file.txt'));
  expect(files.map(({ name }) => name)).toEqual(['pack42.1.bin']);
  expect(Buffer.compare(files[0]!.bytes, golden('v1-file.bin'))).toBe(0);
});

test('a sealed pack', () => {
  expect(encodeRecord(PLACE, changes, 'anywhere', sealer)).toEqual({ content: text('v2-sealed.txt'), files: [] });
});

test('a sealed pack in a file', () => {
  const { content, files } = encodeRecord(PLACE, changes, 'files', sealer);
  expect(content).toBe(text('v2-sealed-file.txt'));
  expect(Buffer.compare(files[0]!.bytes, golden('v2-sealed-file.bin'))).toBe(0);
});

/** A pack with one live slot of ten, what it superseded, a deletion that guards it, and an older checkpoint. */
function checkpoint(): Checkpoint {
  const record = (seq: number, entries: number, live: number) => {
    const made = new LogRecord();
    made.seq = seq;
    made.messageId = 0x0123_4567_89ab_0000n + BigInt(seq);
    made.entries = entries;
    made.live = live;
    return { record: made, answers: false, checkpoint: false };
  };
  const [garbage, pack, kept, tombstone] = [record(3, 1, 0), record(30, 10, 9), record(35, 0, 0), record(41, 1, 0)];
  pack.record.retire(8);
  pack.record.supersedes(garbage.record);
  tombstone.record.supersedes(pack.record);
  tombstone.record.deletions = 1;
  tombstone.record.newestOfEpoch = true;
  const rows = [garbage, pack, { ...kept, checkpoint: true }, { ...tombstone, answers: true }];
  return { rows, unconfirmed: [0x0123_4567_89ab_ffffn] };
}

test('a checkpoint', () => {
  const { content, files } = encodeRecord(PLACE, { entries: [], marks: [], checkpoint: checkpoint() });
  expect(content).toBe(text('v2-checkpoint.txt'));
  expect(files.map(({ name }) => name)).toEqual(['checkpoint42.1.bin']);
  expect(Buffer.compare(files[0]!.bytes, golden('v1-checkpoint.bin'))).toBe(0);
});

test.each(['v1', 'v2'])('version %s: a checkpoint is read', (version) => {
  const parsed = parseRecord(text(`${version}-checkpoint.txt`));
  expect(parsed.header.kind).toBe('checkpoint');
  const { checkpoint: read } = decodePayload(parsed, [golden('v1-checkpoint.bin')]);
  expect(read!.unconfirmed).toEqual(checkpoint().unconfirmed);
  const plain = ({ rows }: Checkpoint) =>
    rows.map(({ record, ...flags }) => {
      const { seq, messageId, entries, live, deletions, newestOfEpoch } = record;
      const slots = Array.from({ length: entries }, (_, slot) => record.isLive(slot));
      const older = [...record.surviving()].map((one) => one.seq);
      return { seq, messageId, entries, live, deletions, newestOfEpoch, slots, older, ...flags };
    });
  expect(plain(read!)).toEqual(plain(checkpoint()));
});

test.each(['v1', 'v2'])('version %s: fences are read', (version) => {
  const sealed = parseRecord(text(`${version}-sealed-fence.txt`));
  expect(sealed.header).toMatchObject({ kind: 'fence', keyId: sealer.keyId });
  expect(parseRecord(text(`${version}-fence.txt`)).header).toMatchObject({ kind: 'fence', epoch: 4, seq: 4 });
});

test('fences', () => {
  const body = { claim: '00112233aabbccdd', state: 'claimed' } as const;
  expect(encodeFence(fenceHeader(4, 4, sealer.keyId), body)).toBe(text('v2-sealed-fence.txt'));
  expect(encodeFence(fenceHeader(4, 4), body)).toBe(text('v2-fence.txt'));
});

test('FORMAT.md shows the golden bytes', () => {
  const page = readFileSync(new URL('../../src/log/FORMAT.md', import.meta.url), 'latin1');
  for (const name of [
    'v2-doc.txt',
    'v2-pack.txt',
    'v2-file.txt',
    'v2-sealed.txt',
    'v2-fence.txt',
    'v2-checkpoint.txt',
  ]) {
    const shown = text(name).replaceAll(/^/gm, '    ');
    expect(page, `FORMAT.md shows ${name}`).toContain(shown);
  }
  expect(page).toContain(golden('v1-file.bin').toString('hex').slice(0, 32));
});
