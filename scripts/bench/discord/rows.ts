import { closedLoop, type Loop, type Measured } from './closed-loop.ts';
import { DiscoDb } from './discodb.ts';
import { PlainWay } from './plain-way.ts';
import { range, type Side } from './side.ts';
import type { World } from './world.ts';
import { WORKLOADS, type Workload, WRITE_SHARE, Ycsb } from './ycsb.ts';

export type Play = (world: World) => Promise<Measured>;

export interface Row {
  readonly name: string;
  readonly clients: number;
  readonly discodb: Play;
  /** Absent where the plain way has nothing like it. */
  readonly plain?: Play;
  /** Operations a second that Discord's headers let any client have, with what one request can carry. */
  readonly allowed?: number;
}

type Turn = (side: Side, world: World) => (client: number, count: number) => Promise<void>;

/** Posts, pages and single reads each: 5 in 5 seconds for a channel, once the burst is spent (discord-facts 1a). */
const A_SECOND = 1;
const RECORDS = 10_000;
/** 22 MiB of entries go with one message; this many of 200 bytes. */
const ENTRIES_MAX = 100_000;
const MANY = 64;
const BATCH = 1000;
/** Requests that empty a bucket and show how it refills. */
const BURSTS = 12;
/** Writes of each client in a mixed workload. */
const ROUNDS = 15;
const CACHE_BYTES = 2 ** 28;

/** Ids from 1 on: document 0 is always there. */
const insertOne: Turn = (side) => (client, count) => side.insert(client, [count + 1]);
const insertMany: Turn = (side) => (client, count) => side.insert(client, range(count * BATCH + 1, BATCH));
const update: Turn = (side, world) => (client) => side.update(client, Math.floor(world.random.next() * RECORDS));
const read: Turn = (side, world) => (client) => side.read(client, Math.floor(world.random.next() * RECORDS));

/** DiscoDB with documents there, opened, and with the limits' bursts spent. `atOnce` documents stand in a message. */
async function ready(world: World, records: number, atOnce = BATCH, cacheBytes = CACHE_BYTES): Promise<DiscoDb> {
  await DiscoDb.load(world, records, atOnce);
  const side = await DiscoDb.open(world, { cacheBytes });
  for (let spent = 1; spent <= BURSTS; spent++) await side.insert(0, [-spent]);
  return side;
}

function discodb(loop: Loop, turn: Turn, open = (world: World) => ready(world, RECORDS)): Play {
  return async (world) => {
    const side = await open(world);
    const measured = await closedLoop(world, loop, turn(side, world));
    await side.close();
    return measured;
  };
}

const almostEmpty = (world: World) => ready(world, 1);

/** One client that is answered from memory; the time counts until Discord holds all of it. */
const unwaited: Play = async (world) => {
  const side = await ready(world, 1);
  side.writeConcern = { w: 1 };
  const settle = async () => {
    side.writeConcern = { w: 'majority' };
    await side.update(0, 0);
  };
  const loop = { clients: 1, turns: 300_000, warmUp: 0, settle };
  const measured = await closedLoop(world, loop, (client, count) => side.insert(client, [count + 1]));
  await side.close();
  return measured;
};

function plain(loop: Loop, turn: Turn, records = 0): Play {
  return async (world) => {
    const side = await PlainWay.open(world, records);
    return closedLoop(world, loop, turn(side, world));
  };
}

function writes(): Row[] {
  const loop = (clients: number, turns: number, warmUp: number): Loop => ({ clients, turns, warmUp });
  const paced = { ...loop(1, 60, 5), pauseMs: 2000 };
  const many = { ...loop(MANY, MANY * 5, MANY), each: BATCH };
  return [
    {
      name: 'insertOne, pause of 2 s between two',
      clients: 1,
      discodb: discodb(paced, insertOne, almostEmpty),
      plain: plain(paced, insertOne),
    },
    {
      name: 'insertOne',
      clients: 1,
      discodb: discodb(loop(1, 120, 30), insertOne, almostEmpty),
      plain: plain(loop(1, 120, 30), insertOne),
      allowed: A_SECOND,
    },
    {
      name: 'insertOne',
      clients: MANY,
      discodb: discodb(loop(MANY, MANY * 30, MANY * 5), insertOne, almostEmpty),
      plain: plain(loop(MANY, MANY * 4, MANY * 2), insertOne),
      allowed: MANY * A_SECOND,
    },
    {
      name: 'insertMany of 1,000',
      clients: MANY,
      discodb: discodb(many, insertMany, almostEmpty),
      plain: plain({ ...loop(MANY, 1, 1), each: BATCH }, insertMany),
      allowed: MANY * BATCH * A_SECOND,
    },
    { name: 'insertOne, w: 1', clients: 1, discodb: unwaited, allowed: ENTRIES_MAX * A_SECOND },
    {
      name: 'updateOne by _id',
      clients: 1,
      discodb: discodb(loop(1, 120, 30), update),
      plain: plain(loop(1, 6, 1), update, RECORDS),
      allowed: A_SECOND,
    },
    {
      name: 'updateOne by _id',
      clients: MANY,
      discodb: discodb(loop(MANY, MANY * 30, MANY * 5), update),
      plain: plain(loop(MANY, 6, 1), update, RECORDS),
      allowed: MANY * A_SECOND,
    },
  ];
}

function mixed(workload: Workload): Row {
  const turn: Turn = (side, world) => {
    const ycsb = new Ycsb(side, world.random, workload, RECORDS);
    return (client) => ycsb.turn(client);
  };
  const share = WRITE_SHARE[workload];
  const turns = share === 0 ? 5000 : Math.ceil((ROUNDS * MANY) / share);
  return {
    name: WORKLOADS[workload],
    clients: MANY,
    discodb: discodb({ clients: MANY, turns, warmUp: Math.ceil(turns / 4) }, turn),
    plain: plain({ clients: MANY, turns: 6, warmUp: 1 }, turn, RECORDS),
    allowed: (MANY * A_SECOND) / share,
  };
}

function reads(): Row[] {
  const loop = { clients: 1, turns: 60, warmUp: 10 };
  const pages = plain({ clients: 1, turns: 6, warmUp: 1 }, read, RECORDS);
  const evicted = (atOnce: number) => discodb(loop, read, (world) => ready(world, RECORDS, atOnce, 0));
  return [
    { name: 'read by _id, in memory', clients: 1, discodb: discodb(loop, read), plain: pages, allowed: Infinity },
    { name: 'read by _id, evicted, own message', clients: 1, discodb: evicted(1), plain: pages, allowed: A_SECOND },
    // Documents of one pack that are asked for soon after each other share a fetch, so the headers set no bound.
    { name: 'read by _id, evicted, in a pack', clients: 1, discodb: evicted(BATCH), plain: pages },
  ];
}

export function rows(): Row[] {
  return [...writes(), ...(Object.keys(WORKLOADS) as Workload[]).map(mixed), ...reads()];
}
