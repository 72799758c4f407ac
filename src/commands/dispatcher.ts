import { CodedError } from '../base/index.ts';
import { type Doc, encode, newObjectId } from '../bson/index.ts';
import { admit } from './admission.ts';
import { ClusterTime } from './cluster-time.ts';
import { unmetMode } from './concerns.ts';
import { CursorRegistry } from './cursors.ts';
import { type Envelope, openEnvelope } from './envelope.ts';
import { describe, errorDocument, labelsOf } from './errors.ts';
import { type Generic, parseGeneric } from './generic.ts';
import { type Operation, OperationRegistry } from './operations.ts';
import { SessionRegistry, sessionKey } from './sessions.ts';
import { MAX_REPLY_BYTES } from './shared/limits.ts';
import { commands, findCommand } from './table.ts';
import { Topology } from './topology.ts';
import type { Command, Connection, Context, Dispatcher, Message, Reply, Request, Services } from './types.ts';

/** Runs commands: one message in, one reply out, errors included. */
export function createDispatcher(services: Services): Dispatcher {
  const { env } = services;
  const cursors = new CursorRegistry(env);
  const context: Context = {
    ...services,
    cursors,
    sessions: new SessionRegistry(env.clock, (key) => cursors.killSession(key)),
    operations: new OperationRegistry(env.clock),
    clusterTime: new ClusterTime(env.clock),
    topology: new Topology(env.clock, newObjectId(env)),
    commands,
  };
  return {
    dispatch: (message, connection) => dispatch(message, connection, context),
    async close() {
      context.topology.stop();
      cursors.close();
      context.sessions.close();
    },
  };
}

async function dispatch(message: Message, connection: Connection, context: Context): Promise<Reply> {
  let retryableWrite = false;
  let next: Message | undefined;
  try {
    const envelope = openEnvelope(message, findCommand);
    const { command, db, body, documents } = envelope;
    const generic = parseGeneric(body, command.name);
    retryableWrite = generic.txnNumber !== undefined;
    admit(envelope, generic, context);
    const operation = beginOperation(envelope, generic, connection, context);
    const { signal } = operation;
    const { exhaustAllowed } = message;
    const again = (body: Doc) => {
      next = { ...message, body: encode(body), sequences: new Map() };
    };
    const request: Request = { db, body, documents, generic, connection, operation, signal, exhaustAllowed, again };
    const reply = await run(command, request, message.signal, context);
    return { body: finish(reply.set('ok', 1), command.writes(body), context), next };
  } catch (error) {
    const described = describe(error, context.topology.stopped);
    if (described.internal) context.env.log.error({ err: error }, 'a command failed unforeseen');
    const reply = errorDocument(described, labelsOf(described, retryableWrite));
    return { body: finish(reply, false, context), next: undefined };
  }
}

function beginOperation(
  { command, db, body }: Envelope,
  generic: Generic,
  connection: Connection,
  context: Context,
): Operation {
  const operation = context.operations.begin({
    command: command.name,
    db,
    body,
    connectionId: connection.id,
    client: connection.remote,
    session: generic.lsid && sessionKey(generic.lsid),
  });
  // Of a getMore it is the time to wait for more.
  if (generic.maxTimeMS > 0 && command.name !== 'getMore') operation.expireIn(generic.maxTimeMS);
  return operation;
}

/** Runs the command to its end, or, if it only reads, until its signal aborts or the client leaves. */
async function run(command: Command, request: Request, left: AbortSignal, context: Context): Promise<Doc> {
  const { operation, body, generic } = request;
  const onLeave = () =>
    operation.kill(new CodedError('ClientDisconnect', 'operation was interrupted: the client left'));
  try {
    const running = Promise.resolve(command.run(request, context));
    // A write is never left half told: it ends by itself, at the next statement after its signal.
    if (command.writes(body)) return withUnmetMode(await running, generic);
    left.addEventListener('abort', onLeave, { once: true });
    if (left.aborted) onLeave();
    return await orAborted(running, operation.signal);
  } finally {
    left.removeEventListener('abort', onLeave);
    context.operations.end(operation);
  }
}

function withUnmetMode(reply: Doc, { writeConcern }: Generic): Doc {
  const unmet = unmetMode(writeConcern);
  return unmet && !reply.has('writeConcernError') ? reply.set('writeConcernError', unmet) : reply;
}

/** The promise, unless the signal aborts first: then its reason. What the promise still does is its own to clean up. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    if (signal.aborted) onAbort();
  });
}

function finish(reply: Doc, wrote: boolean, context: Context): Uint8Array {
  const { clusterTime } = context;
  const time = wrote ? clusterTime.advance() : clusterTime.now;
  const stamp = (doc: Doc) => encode(doc.set('$clusterTime', clusterTime.gossip()).set('operationTime', time));
  const bytes = stamp(reply);
  if (bytes.length <= MAX_REPLY_BYTES) return bytes;
  const error = new CodedError('BSONObjectTooLarge', `the reply is too large: ${bytes.length} bytes`);
  return stamp(errorDocument(describe(error)));
}
