import { checkDeployment } from '../../src/engine/index.ts';
import type { KeyRing } from '../../src/log/index.ts';
import { MemoryCacheDisk } from '../../src/store/index.ts';
import { Process } from '../support/stage.ts';
import type { Clerk } from './clerk.ts';
import type { Client, Surroundings } from './clients.ts';
import { Violation } from './history.ts';
import type { Machine, Machines } from './machines.ts';
import { EVENTS, FLEETING, HEAPS, ROAMING, THINGS, UNIQUES } from './steps.ts';

/** What is still on its way arrives, or never does. */
const SETTLE_MS = 60_000;
/** The monitor of what expires makes a pass a minute. */
const TTL_PASSES_MS = 150_000;
const CLOSE_MS = 10 * 60_000;

export interface Trial {
  readonly world: Surroundings;
  readonly machines: Machines;
  readonly reader: Client;
  readonly clerk: Clerk;
  readonly keys: KeyRing | undefined;
  /** What happened. */
  readonly seen: Readonly<Record<string, number>>;
}

/** Fresh processes, without cache, find what the history says; the guild is sound; nothing was reported without a cause. */
export async function judge(trial: Trial): Promise<void> {
  const { world, machines } = trial;
  for (const machine of machines.all) if (machine.process) machines.die(machine);
  await world.stage.sleep(SETTLE_MS);
  await examine(trial, TTL_PASSES_MS);
  const first = await examine(trial, 0);
  const second = await examine(trial, 0);
  if (first !== second) throw new Violation(`one fresh process found ${first}, the next ${second}`);
  await survey(trial);
  checkLog(trial);
}

/** All that one process finds, after it has worked for a while. */
async function examine({ world, machines, reader, clerk }: Trial, restMs: number): Promise<string> {
  const { stage, roaming, checker } = world;
  const machine: Machine = { ...machines.all[0]!, disk: new MemoryCacheDisk() };
  const process = await machines.start(machine, true);
  if (!process) throw new Violation('nothing is wrong with Discord, and no process can start');
  await stage.sleep(restMs);
  const names = await clerk.namesIn(process);
  if (roaming.sure && names![0] !== undefined && names![0] !== roaming.name)
    throw new Violation(`the collection is called ${names}, not ${roaming.name}`);
  const found: unknown[] = [];
  for (const coll of [THINGS, UNIQUES, HEAPS, FLEETING, ROAMING, EVENTS]) {
    const name = coll === ROAMING ? (names![0] ?? roaming.name) : coll;
    const documents = (await reader.scan(process, coll, { durable: true, whole: true, name }))!;
    if (coll === UNIQUES) checkKeys(world, documents);
    if (coll === FLEETING && restMs > 0) {
      const asked = { coll, invoke: stage.clock.now() - restMs, complete: stage.clock.now(), process: process.number };
      checker.mustHaveExpired(asked, documents);
      world.note('expired', checker.madeIn(coll) - documents.length);
    }
    found.push([coll, documents.sort()]);
  }
  await clerk.checkIndexes(process);
  await machines.within(CLOSE_MS, process.close(), () => 'the last process closes');
  machines.serving = [];
  return JSON.stringify(found);
}

/** Nobody writes any more: what is there is there at once. */
function checkKeys({ checker }: Surroundings, found: readonly (readonly [string, readonly string[]])[]): void {
  const holders = new Map<string, string>();
  for (const [id, [tag]] of found) {
    for (const key of checker.keysOf(tag!)) {
      const other = holders.get(key);
      if (other !== undefined && checker.isGuarded(UNIQUES, key[0]!))
        throw new Violation(`${id} and ${other} hold the same unique key ${key}`);
      holders.set(key, id);
    }
  }
}

async function survey({ world: { stage }, machines, keys, seen }: Trial): Promise<void> {
  const store = await new Process(stage, { tokens: machines.tokens }).openStore();
  for await (const { ns, findings } of checkDeployment({ env: stage.env(stage.clock), store, keys })) {
    for (const { kind, text } of findings)
      if (!explained(kind, seen, ns ?? '')) throw new Violation(`discodb check finds in ${ns}: ${kind}: ${text}`);
  }
  await store.close();
}

function happened(seen: Trial['seen'], ...fates: readonly string[]): boolean {
  return fates.some((fate) => (seen[fate] ?? 0) > 0);
}

function explained(kind: string, seen: Trial['seen'], ns: string): boolean {
  // What a former owner still had on its way.
  if (kind === 'epoch') return happened(seen, 'killed', 'killedAtStart', 'moved', 'takenOver', 'closed', 'refused');
  return happened(seen, 'deletedByPeople') && ns.endsWith(THINGS) && ['gap', 'live-set'].includes(kind);
}

function checkLog({ world: { stage }, seen }: Trial): void {
  const causes: [RegExp, string[]][] = [
    [
      /took over|collection stopped|could not be followed up/,
      ['takenOver', 'moved', 'refused', 'revived', 'closed', 'killed'],
    ],
    [/a bot can work no longer|cannot listen|does not let a bot listen|no bot can listen/, ['botsLost']],
    [/somebody deleted (a pack|the message)/, ['deletedByPeople']],
    // The next owner did, and this one has only heard that it is not the owner any more.
    [/somebody deleted the channel of a collection/, ['takenOver', 'refused']],
  ];
  for (const { msg, kind, ns, ...rest } of stage.errors) {
    const name = ns === undefined ? '' : typeof ns === 'string' ? ns : `${ns.db}.${ns.coll}`;
    if (kind ? explained(kind, seen, name) : causes.some(([text, fates]) => text.test(msg) && happened(seen, ...fates)))
      continue;
    throw new Violation(`reported without a cause: ${msg} ${JSON.stringify({ kind, ns, ...rest })}`);
  }
}
