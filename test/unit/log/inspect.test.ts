import { expect, test } from 'vitest';
import { inspectMessage, KeyRing, MissingKeyError, openLog, surveyLog } from '../../../src/log/index.ts';
import { StoreError } from '../../../src/store/index.ts';
import { put, World } from './world.ts';

const KEYS = KeyRing.parse('33'.repeat(32));

/** A channel with a document, sealed or not, and a checkpoint after it. */
async function written(keys?: KeyRing): Promise<World> {
  const world = await World.make();
  const { env, store, channel } = world;
  const log = openLog({ env, store, channel, epoch: 1, keys, onProblem: (problem) => world.problems.push(problem) });
  log.startEmpty();
  await world.clock.run(log.append([put(1, { name: 'Ada' })]).durable);
  await world.clock.run(log.checkpoint());
  await world.clock.run(log.close());
  return world;
}

test.each([
  ['plain', undefined],
  ['sealed', KEYS],
])('a %s record and a checkpoint are shown with all that they hold', async (_, keys) => {
  const { clock, env, store, channel, memory } = await written(keys);
  const [record, checkpoint] = memory.peek(channel);
  const first = await clock.run(inspectMessage({ env, store, keys }, channel, record!.id));
  expect(first).toMatchObject({ header: { seq: 1, epoch: 1, entries: 1 }, authorId: '1', marks: [] });
  expect(first!.entries.map(({ op, recordId }) => [op, recordId])).toEqual([['put', 1]]);
  expect(first!.problem).toBeUndefined();
  const second = await clock.run(inspectMessage({ env, store, keys }, channel, checkpoint!.id));
  expect(second!.header).toMatchObject({ kind: 'checkpoint', seq: 2 });
  expect(second!.checkpoint!.rows.map((row) => row.record.seq)).toEqual([1]);
});

test('a sealed record is not shown without its key, and a damaged one is told', async () => {
  const { clock, env, store, channel, memory } = await written(KEYS);
  const { id } = memory.peek(channel)[0]!;
  await expect(clock.run(inspectMessage({ env, store }, channel, id))).rejects.toThrow(MissingKeyError);
  memory.tamper(channel, ([first, ...rest]) => [{ ...first!, content: `${first!.content}A` }, ...rest]);
  const damaged = await clock.run(inspectMessage({ env, store, keys: KEYS }, channel, id));
  expect(damaged).toMatchObject({ problem: { kind: 'checksum' }, entries: [] });
});

test('there is nothing where no message or no channel is; other refusals are told', async () => {
  const { clock, env, store, channel, memory } = await written();
  expect(await clock.run(inspectMessage({ env, store }, channel, 5n))).toBeUndefined();
  expect(await clock.run(inspectMessage({ env, store }, '5', 5n))).toBeUndefined();
  memory.faults.fail = () => new StoreError('forbidden', 'no permission');
  await expect(clock.run(inspectMessage({ env, store }, channel, 5n))).rejects.toThrow('no permission');
});

test('a survey reads everything, checkpoint or not, and agrees with the log about documents', async () => {
  const { clock, env, store, channel, memory, problems } = await written();
  const look = () => clock.run(surveyLog({ env, store, channel }, () => {}));
  expect(await look()).toMatchObject({ seq: 2, epoch: 1, documents: 1, live: 1, problems: [], moved: false });
  memory.tamper(channel, (messages) => messages.slice(1));
  expect((await look()).problems.map(({ kind, fromSeq }) => [kind, fromSeq])).toEqual([['live-set', 1]]);
  expect(problems).toEqual([]);
});
