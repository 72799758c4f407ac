import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/index.ts';
import { doc, encode } from '../../../src/bson/index.ts';
import { closeContent } from '../../../src/log/header.ts';
import { KeyRing, MissingKeyError, Ownership, openLog } from '../../../src/log/index.ts';
import type { Payload, StoredEntry } from '../../../src/log/payload.ts';
import { decodePayload, encodeRecord, parseRecord, type RecordPlace } from '../../../src/log/record.ts';
import { RecordError } from '../../../src/log/record-error.ts';
import { FILE_BYTES_MAX } from '../../../src/store/index.ts';
import { ids, put, World } from './world.ts';

const OLD = '11'.repeat(32);
const NEW = Buffer.alloc(32, 7).toString('base64');
const PLACE: RecordPlace = {
  epoch: 3,
  since: 40,
  seq: 42,
  documents: 17,
  superseding: 5,
  live: { count: 9, digest: 1n },
  nextRecordId: 19,
  ahead: 0,
};
const secret: StoredEntry = { op: 'put', recordId: 18, bytes: encode(doc({ _id: 1, name: 'Ada Lovelace' })) };
const mark = { lsid: new Uint8Array(16).fill(9), txnNumber: 5n, stmtId: 0, result: encode(doc({ n: 1 })) };
const payload: Payload = { entries: [secret], marks: [mark] };
const sealer = (text: string, channel = '7', seed = 1) => KeyRing.parse(text).forChannel(channel, seededRandom(seed));

function hex({ entries, marks }: Payload) {
  return [
    entries.map(({ op, recordId, bytes }) => [op, recordId, Buffer.from(bytes).toString('hex')]),
    marks.map(({ lsid, txnNumber, stmtId }) => [Buffer.from(lsid).toString('hex'), txnNumber, stmtId]),
  ];
}

test('a sealed record says only that it is sealed, and comes back with its key', () => {
  const one = sealer(OLD);
  const { content, files } = encodeRecord(PLACE, payload, 'anywhere', one);
  expect(files).toEqual([]);
  expect(content).toMatch(/ key [0-9a-f]{8} crc [0-9a-f]{8}\nSealed\.\n-# sealed [A-Za-z0-9_-]+$/);
  const parsed = parseRecord(content);
  expect(parsed.header).toMatchObject({ ...PLACE, kind: 'pack', entries: 1, keyId: one.keyId });
  expect(hex(decodePayload(parsed, [], sealer(OLD)))).toEqual(hex(payload));
});

test('what does not fit in text is sealed in files, over their ends too', () => {
  const big = encode(doc({ _id: 2, text: 'x'.repeat(FILE_BYTES_MAX) }));
  const large: Payload = { entries: [secret, { op: 'put', recordId: 19, bytes: big }], marks: [] };
  const { content, files } = encodeRecord(PLACE, large, 'anywhere', sealer(OLD));
  expect(files).toHaveLength(2);
  expect(content).toContain('\nSealed, 10.5 MB\n-# file pack42.1.bin');
  const chunks = files.map(({ bytes }) => bytes);
  expect(Buffer.concat(chunks).includes('Lovelace')).toBe(false);
  const read = decodePayload(parseRecord(content), chunks, sealer(OLD));
  expect(read.entries.map(({ bytes }) => Buffer.compare(bytes, bytes.length > 100 ? big : secret.bytes))).toEqual([
    0, 0,
  ]);
});

test('two records are never sealed with one initialization vector', () => {
  const one = sealer(OLD);
  const sealed = Array.from({ length: 100 }, () => one.seal('', new Uint8Array(8)));
  expect(new Set(sealed.map((bytes) => Buffer.from(bytes.subarray(0, 12)).toString('hex'))).size).toBe(100);
});

test('a header that was changed, checksum and all, breaks the seal', () => {
  const { content } = encodeRecord(PLACE, payload, 'anywhere', sealer(OLD));
  const { line, body } = parseRecord(content);
  for (const changed of [line.replace('seq 42', 'seq 43'), line.replace('docs 17', 'docs 16')]) {
    expect(changed).not.toBe(line);
    const forged = parseRecord(closeContent(changed, body));
    expect(() => decodePayload(forged, [], sealer(OLD))).toThrow(RecordError);
  }
});

test('a payload that was changed, checksum and all, breaks the seal, wherever it was changed', () => {
  const { content } = encodeRecord(PLACE, payload, 'anywhere', sealer(OLD));
  const { line, body } = parseRecord(content);
  const [words, base64] = body.split('-# sealed ');
  const sealed = Buffer.from(base64!, 'base64url');
  for (let at = 0; at < sealed.length; at++) {
    const damaged = Buffer.from(sealed);
    damaged[at]! ^= 1;
    const forged = parseRecord(closeContent(line, `${words}-# sealed ${damaged.toString('base64url')}`));
    expect(() => decodePayload(forged, [], sealer(OLD))).toThrow(RecordError);
  }
  const cut = parseRecord(closeContent(line, `${words}-# sealed AAAA`));
  expect(() => decodePayload(cut, [], sealer(OLD))).toThrow(RecordError);
});

test('a record opens in its own channel alone', () => {
  const parsed = parseRecord(encodeRecord(PLACE, payload, 'anywhere', sealer(OLD, '7')).content);
  expect(() => decodePayload(parsed, [], sealer(OLD, '8'))).toThrow(RecordError);
});

test('without its key a record is not damaged, its key is missing', () => {
  const parsed = parseRecord(encodeRecord(PLACE, payload, 'anywhere', sealer(OLD)).content);
  expect(() => decodePayload(parsed, [], sealer(NEW))).toThrow(MissingKeyError);
  expect(() => decodePayload(parsed, [])).toThrow(parsed.header.keyId);
});

test('the first key of a file seals, all of them open', () => {
  const both = `# since 2026\n${NEW}\n\n  ${OLD}  # the first\n`;
  expect(sealer(both).keyId).toBe(sealer(NEW).keyId);
  for (const key of [OLD, NEW]) {
    const parsed = parseRecord(encodeRecord(PLACE, payload, 'anywhere', sealer(key)).content);
    expect(hex(decodePayload(parsed, [], sealer(both)))).toEqual(hex(payload));
  }
});

test.each(['', '# nothing', 'short', `${OLD}ff`, `${NEW}\nxyz`])('%j is no key file, and no key is told', (text) => {
  expect(() => KeyRing.parse(text)).toThrow(/no key/);
  expect(() => KeyRing.parse(text)).not.toThrow(NEW);
});

test('a log is sealed from the day on which it gets a key, and needs the key from then on', async () => {
  const world = await World.make();
  const open = (keys?: KeyRing) => {
    const onProblem = (problem: unknown) => world.problems.push(problem as never);
    const { env, store, channel } = world;
    return openLog({ env, store, channel, epoch: ++world.epoch, onProblem, keys });
  };
  const recover = async (keys?: KeyRing) => {
    const log = open(keys);
    const found: Parameters<Parameters<typeof log.recover>[0]>[0][] = [];
    await world.clock.run(log.recover((entry) => found.push(entry)));
    return { log, found };
  };
  const plain = open();
  plain.startEmpty();
  await world.clock.run(plain.append([put(1, { name: 'plain' })]).durable);
  const first = await recover(KeyRing.parse(OLD));
  await world.clock.run(first.log.append([put(2, { name: 'hidden' })]).durable);
  const second = await recover(KeyRing.parse(`${NEW}\n${OLD}`));
  await world.clock.run(second.log.append([put(3, { name: 'hidden too' })]).durable);
  const said = world.memory.peek(world.channel).map(({ content }) => content);
  expect(said.map((content) => /name/.test(content))).toEqual([true, false, false]);
  const third = await recover(KeyRing.parse(`${NEW}\n${OLD}`));
  expect(ids(third.found)).toEqual([1, 2, 3]);
  await expect(recover(KeyRing.parse(NEW))).rejects.toThrow(MissingKeyError);
  await expect(recover()).rejects.toThrow(MissingKeyError);
  expect(world.problems).toEqual([]);
});

test('who has not the key of the last owner may not become the owner, and writes nothing', async () => {
  const { clock, env, store, channel, memory } = await World.make();
  const claim = (keys?: KeyRing) =>
    clock.run(Ownership.claim(store, channel, env, { keys }).then(({ epoch }) => epoch));
  await claim();
  await claim(KeyRing.parse(OLD));
  await expect(claim()).rejects.toThrow(MissingKeyError);
  await expect(claim(KeyRing.parse(NEW))).rejects.toThrow(MissingKeyError);
  expect(memory.peek(channel)).toHaveLength(2);
  expect(await claim(KeyRing.parse(`${NEW}\n${OLD}`))).toBe(3);
  await expect(claim(KeyRing.parse(OLD))).rejects.toThrow(MissingKeyError);
});

test('checkpoints are sealed too, and a restart begins at one only with the key', async () => {
  const world = await World.make();
  const { clock, env, store, channel, memory } = world;
  const open = (keys?: KeyRing) => {
    const onProblem = (problem: unknown) => world.problems.push(problem as never);
    return openLog({ env, store, channel, epoch: ++world.epoch, onProblem, keys });
  };
  const log = open(KeyRing.parse(OLD));
  log.startEmpty();
  const [first] = log.append([put(1)]).placements;
  await clock.run(log.append([put(1, { name: 'changed' }, first), put(2)]).durable);
  expect(await clock.run(log.checkpoint())).toBe(true);
  await clock.run(log.close());
  const { id, content, attachments } = memory.peek(channel).at(-1)!;
  expect(content).toContain(' checkpoint ');
  const bytes = await clock.run(store.download(channel, memory.peek(channel).at(-1)!, attachments[0]!, 'read'));
  const unsealed = parseRecord(
    closeContent(parseRecord(content).line.replace(/ key .*/, ''), content.split('\n').slice(1).join('\n')),
  );
  expect(() => decodePayload(unsealed, [bytes!]), `message ${id} in plain`).toThrow(RecordError);
  const found: number[] = [];
  let restarts = 0;
  const restart = () => void restarts++;
  await clock.run(open(KeyRing.parse(OLD)).recover(({ recordId }) => found.push(recordId), restart));
  expect({ found: found.sort(), restarts, problems: world.problems }).toEqual({
    found: [1, 2],
    restarts: 0,
    problems: [],
  });
  await expect(clock.run(open().recover(() => {}, restart))).rejects.toThrow(MissingKeyError);
});
