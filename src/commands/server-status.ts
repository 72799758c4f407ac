import { hostname } from 'node:os';
import { type Doc, doc, type Value } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { toNumber } from './fields.ts';
import { MONGODB_VERSION } from './shared/version.ts';
import type { Context } from './types.ts';

const MIB = 1024 * 1024;

/** `{serverStatus: 1, metrics: 0}` leaves a section out; what is in `head` is always told. */
export const serverStatus = defineCommand({
  name: 'serverStatus',
  lenient: true,
  help: 'tells what the server is doing',
  fields: {},
  run(_args, { body }, context) {
    const wanted = Object.entries(sections(context)).filter(([name]) => !isOff(body.get(name)));
    return doc({ ...head(context), ...Object.fromEntries(wanted) });
  },
});

function isOff(value: Value): boolean {
  return value === false || toNumber(value) === 0;
}

function head({ env, server }: Context) {
  const now = env.clock.now();
  const uptimeMillis = Math.max(0, now - server.startedAt.getTime());
  return {
    host: `${hostname()}:${server.address.slice(server.address.lastIndexOf(':') + 1)}`,
    version: MONGODB_VERSION,
    process: 'mongos',
    pid: BigInt(process.pid),
    uptime: uptimeMillis / 1000,
    uptimeMillis: BigInt(uptimeMillis),
    uptimeEstimate: BigInt(Math.floor(uptimeMillis / 1000)),
    localTime: new Date(now),
  };
}

function sections(context: Context) {
  const { engine, server, sessions, operations } = context;
  const { connections, totalConnections, bytesIn, bytesOut, requests } = server.counters();
  const { rss } = process.memoryUsage();
  return {
    asserts: { regular: 0, warning: 0, msg: 0, user: 0, rollovers: 0 },
    connections: {
      current: connections,
      totalCreated: BigInt(totalConnections),
      active: operations.running().length,
    },
    extra_info: { note: 'fields vary by platform' },
    globalLock: globalLock(context),
    logicalSessionRecordCache: { activeSessionsCount: sessions.size },
    mem: { bits: 64, resident: Math.floor(rss / MIB), virtual: Math.floor(rss / MIB), supported: true },
    metrics: { cursor: cursorMetrics(context), ttl: ttlMetrics(context) },
    network: { bytesIn: BigInt(bytesIn), bytesOut: BigInt(bytesOut), numRequests: BigInt(requests) },
    opcounters: opcounters(context),
    storageEngine: { name: 'discord', persistent: true, supportsCommittedReads: true },
    discodb: engine.status(),
  };
}

/** Nothing queues for a lock here. Compass draws its charts from what runs, and fails where the section is missing. */
function globalLock({ env, server, operations, commands }: Context) {
  const running = operations.running();
  const writers = running.filter(({ command, body }) => commands.get(command)?.writes(body)).length;
  return {
    totalTime: BigInt(Math.max(0, env.clock.now() - server.startedAt.getTime()) * 1000),
    currentQueue: { total: 0, readers: 0, writers: 0 },
    activeClients: { total: running.length, readers: running.length - writers, writers },
  };
}

function cursorMetrics({ cursors }: Context) {
  return {
    timedOut: BigInt(cursors.timedOut),
    totalOpened: BigInt(cursors.totalOpened),
    open: { total: BigInt(cursors.open), pinned: 0n, noTimeout: 0n },
  };
}

function ttlMetrics({ engine }: Context) {
  const { passes, deletedDocuments } = engine.ttl.status;
  return { deletedDocuments: BigInt(deletedDocuments), passes: BigInt(passes) };
}

/** Counted by command, not by document. */
function opcounters({ operations, commands }: Context): Doc {
  const counted = { insert: 'insert', query: 'find', update: 'update', delete: 'delete', getmore: 'getMore' };
  const entries = Object.entries(counted).map(([name, command]) => [name, BigInt(operations.count(command))] as const);
  const all = [...commands.keys()].reduce((sum, command) => sum + operations.count(command), 0);
  const named = entries.reduce((sum, [, times]) => sum + times, 0n);
  return new Map([...entries, ['command', BigInt(all) - named]]);
}
