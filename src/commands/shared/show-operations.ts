import { type Doc, doc, encode, type Value } from '../../bson/index.ts';
import type { Operation } from '../operations.ts';
import type { Context } from '../types.ts';

/** MongoDB shortens commands longer than this, too. */
const MAX_SHOWN_BYTES = 1024;

/** What runs now, each as currentOp and `$currentOp` show it. */
export function showOperations({ operations, server }: Context): Doc[] {
  return operations.running().map((operation) => show(operation, server.address));
}

function targetOf(command: string, target: Value): string {
  if (typeof target === 'string') return target;
  return command === 'aggregate' ? '$cmd.aggregate' : '$cmd';
}

function show(operation: Operation, host: string): Doc {
  const { body, elapsed } = operation;
  const target = body.values().next().value;
  const command = encode(body).length > MAX_SHOWN_BYTES ? doc({ $truncated: operation.command }) : body;
  return doc({
    type: 'op',
    host,
    desc: `conn${operation.connectionId}`,
    connectionId: operation.connectionId,
    client: operation.client,
    active: true,
    currentOpTime: new Date(operation.startedAt + elapsed).toISOString(),
    opid: operation.id,
    secs_running: BigInt(Math.floor(elapsed / 1000)),
    microsecs_running: BigInt(Math.round(elapsed * 1000)),
    op: 'command',
    ns: `${operation.db}.${targetOf(operation.command, target)}`,
    command,
    killPending: operation.killed ? true : undefined,
  });
}
