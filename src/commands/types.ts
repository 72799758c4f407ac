import type { Env } from '../base/index.ts';
import type { Doc } from '../bson/index.ts';
import type { Engine } from '../engine/index.ts';
import type { ClusterTime } from './cluster-time.ts';
import type { CursorRegistry } from './cursors.ts';
import type { Generic } from './generic.ts';
import type { Operation, OperationRegistry } from './operations.ts';
import type { SessionRegistry } from './sessions.ts';
import type { Topology } from './topology.ts';

/** A command on its way: what the client sent, and who it is. */
export interface Request {
  readonly db: string;
  /** The decoded command under its canonical name, document sequences merged in, without the raw field's documents. */
  readonly body: Doc;
  /** The encoded documents of the command's raw field, valid BSON; undefined when the field is absent. */
  readonly documents: readonly Uint8Array[] | undefined;
  readonly generic: Generic;
  readonly connection: Connection;
  /** Running, killable, limited in time. */
  readonly operation: Operation;
  /** The operation's: aborts at `maxTimeMS`, on killOp, and, for a command that writes nothing, when its client is gone. */
  readonly signal: AbortSignal;
  /** The client takes several replies to this request. */
  readonly exhaustAllowed: boolean;
  /** With `exhaustAllowed`: once this reply is sent, `body` is run as if the client had sent it. */
  again(body: Doc): void;
}

/** What the server knows of one client connection. The first hello sets the client metadata. */
export interface Connection {
  readonly id: number;
  /** `host:port` of the client. */
  readonly remote: string;
  /** `host:port` it dialled. */
  readonly local: string;
  client: Doc | undefined;
}

/** What `compose.ts` hands to `createDispatcher`. */
export interface Services {
  readonly env: Env;
  readonly engine: Engine;
  readonly server: ServerInfo;
  /** Names of the wire compressors, best first (`zstd`, `zlib`, `snappy`). */
  readonly compressors: readonly string[];
  /** DiscoDB's own version. */
  readonly version: string;
}

export interface ServerInfo {
  /** `host:port` that the server listens on. */
  readonly address: string;
  readonly startedAt: Date;
  readonly argv: readonly string[];
  /** Counters that the server room keeps. */
  counters(): { connections: number; totalConnections: number; bytesIn: number; bytesOut: number; requests: number };
}

/** What all commands share: the services, and what the dispatcher keeps between commands. */
export interface Context extends Services {
  readonly clusterTime: ClusterTime;
  readonly sessions: SessionRegistry;
  readonly cursors: CursorRegistry;
  readonly operations: OperationRegistry;
  readonly topology: Topology;
  /** Every command by its canonical name. */
  readonly commands: ReadonlyMap<string, Command>;
}

/** One command. The reply has no `ok`, `$clusterTime` or `operationTime`: the dispatcher adds them. */
export interface Command {
  readonly name: string;
  /** Other spellings that MongoDB takes (`ismaster` for `isMaster`). */
  readonly aliases: readonly string[];
  /** Only on the `admin` database. */
  readonly adminOnly: boolean;
  /** Part of Stable API version 1. */
  readonly apiV1: boolean;
  /** It takes a write concern. */
  readonly writeConcern: boolean;
  /** It takes a transaction number without a transaction. */
  readonly retryable: boolean;
  /** It takes read concern levels above `local`. */
  readonly readConcern: boolean;
  /** The array of documents that stays encoded. */
  readonly raw: string | undefined;
  readonly help: string;
  /** With this body it changes data: a lost client does not stop it. */
  writes(body: Doc): boolean;
  run(request: Request, context: Context): Promise<Doc> | Doc;
}

/** How the server room hands over a message and gets a reply to send, encoded. Never throws: errors are replies. */
export interface Dispatcher {
  dispatch(message: Message, connection: Connection): Promise<Reply>;
  /**
   * Ends cursors, timers and waiting hellos; what comes afterwards is answered with InterruptedAtShutdown. What runs
   * goes on, so this comes before the connections are closed.
   */
  close(): Promise<void>;
}

export interface Message {
  readonly body: Uint8Array;
  /** Of a legacy OP_QUERY; undefined for OP_MSG, whose body has `$db`. */
  readonly db: string | undefined;
  readonly sequences: ReadonlyMap<string, readonly Uint8Array[]>;
  readonly exhaustAllowed: boolean;
  /** Aborts when the connection is gone or the server stops waiting. */
  readonly signal: AbortSignal;
}

export interface Reply {
  readonly body: Uint8Array;
  /** With `exhaustAllowed`: another reply follows, got by dispatching `next`. */
  readonly next: Message | undefined;
}
