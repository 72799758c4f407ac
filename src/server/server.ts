import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { assert, CodedError, type Deferred, deferred, type Env } from '../base/index.ts';
import type { Dispatcher, ServerInfo } from '../commands/index.ts';
import { hostAndPort } from './address.ts';
import { ClientConnection, type ConnectionContext } from './connection.ts';
import { Counters } from './counters.ts';
import { ListenError } from './listen-error.ts';

/** Clients beyond this many are turned away at once. Node's own default is no limit, MongoDB's what `ulimit` allows. */
export const MAX_CONNECTIONS = 10_000;

/** How long a shutdown lets commands finish before it tells them to give up. */
export const SHUTDOWN_GRACE_MS = 10_000;

/** How long they then have to say so. */
export const ABORT_GRACE_MS = 1_000;

/** After this long a silent client is asked by TCP whether it is still there. There is no other limit on idleness, as in MongoDB. */
const KEEP_ALIVE_MS = 120_000;

export interface ServerOptions {
  readonly env: Env;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The encoded error document that a client gets. */
  readonly errorReply: (error: CodedError) => Uint8Array;
  readonly maxConnections?: number;
}

/** The TCP side of the process: takes connections, hands their messages to the dispatcher, sends its replies. */
export class Server {
  readonly #options: ServerOptions;
  readonly #tcp: TcpServer;
  readonly #counters = new Counters();
  readonly #connections = new Set<ClientConnection>();
  #context: ConnectionContext | undefined;
  #lastConnectionId = 0;
  #stopping: Promise<void> | undefined;
  #empty: Deferred<void> | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
    // A client that has ended its side may still read its replies.
    this.#tcp = createTcpServer({
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    });
    this.#tcp.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
    this.#tcp.on('connection', (socket) => this.#accept(socket));
    this.#tcp.on('drop', (peer) => options.env.log.warn({ peer }, 'a client was turned away: too many connections'));
  }

  /** Begins to take connections; returns the `host:port` it got. Throws ListenError. */
  async listen(dispatcher: Dispatcher): Promise<string> {
    const { env, host, port, errorReply } = this.#options;
    this.#context = { env, dispatcher, counters: this.#counters, errorReply };
    await new Promise<void>((resolve, reject) => {
      const refuse = (error: Error) => reject(new ListenError(hostAndPort(host, port), error));
      this.#tcp.once('error', refuse);
      this.#tcp.listen({ host, port }, () => {
        this.#tcp.off('error', refuse);
        this.#tcp.on('error', (error) => env.log.error({ err: error }, 'a connection could not be taken'));
        resolve();
      });
    });
    return this.address;
  }

  /** `host:port`, once it listens. */
  get address(): string {
    const bound = this.#tcp.address();
    assert(bound !== null && typeof bound === 'object', 'the server listens on a TCP port');
    return hostAndPort(bound.address, bound.port);
  }

  counters(): ReturnType<ServerInfo['counters']> {
    return { connections: this.#connections.size, ...this.#counters };
  }

  /**
   * Takes no more connections and messages, lets commands finish, tells those that did not within the grace period to
   * give up, then cuts every connection that is left. Resolves when none is. Calling again changes nothing.
   */
  close(): Promise<void> {
    this.#stopping ??= this.#close();
    return this.#stopping;
  }

  async #close(): Promise<void> {
    const reason = new CodedError('InterruptedAtShutdown', 'the server is shutting down');
    this.#tcp.close();
    for (const connection of this.#connections) connection.stop(reason);
    await this.#emptyWithin(SHUTDOWN_GRACE_MS);
    for (const connection of this.#connections) connection.abort(reason);
    await this.#emptyWithin(ABORT_GRACE_MS);
    for (const connection of this.#connections) connection.destroy();
    await this.#emptyWithin(undefined);
  }

  async #emptyWithin(ms: number | undefined): Promise<void> {
    if (this.#connections.size === 0) return;
    const empty = deferred();
    this.#empty = empty;
    const timer = ms === undefined ? undefined : this.#options.env.clock.timer(ms, () => empty.resolve());
    await empty.promise;
    timer?.cancel();
  }

  #accept(socket: Socket): void {
    const context = this.#context;
    assert(context, 'connections come after listen()');
    const connection = new ClientConnection(++this.#lastConnectionId, socket, context);
    this.#counters.totalConnections++;
    this.#connections.add(connection);
    context.env.log.debug({ connection: connection.id, remote: connection.remote }, 'connection opened');
    socket.on('close', () => {
      this.#connections.delete(connection);
      context.env.log.debug({ connection: connection.id }, 'connection closed');
      if (this.#connections.size === 0) this.#empty?.resolve();
    });
    if (this.#stopping) connection.destroy();
  }
}
