import type { Socket } from 'node:net';
import { CodedError, type Deferred, deferred, type Env, type Timer } from '../base/index.ts';
import type { Doc } from '../bson/index.ts';
import type { Connection, Dispatcher, Message, Reply } from '../commands/index.ts';
import {
  encodeReply,
  FrameSplitter,
  MAX_REPLY_BODY_SIZE,
  parseRequest,
  type ReplyTo,
  WireError,
  type WireRequest,
} from '../wire/index.ts';
import { hostAndPort } from './address.ts';
import type { Counters } from './counters.ts';

/** Replies wait for the client to read when more than this is unsent. */
export const UNSENT_BYTES_MAX = 1 << 20;

/** After the last reply, how long the client may take to hang up before it is cut off. */
export const LINGER_MS = 1_000;

/** A reply of less than this is copied behind its header: cheaper than a gathering write. */
const COPY_BYTES_MAX = 8_192;

const REQUEST_ID_MAX = 0x7fff_ffff;

export interface ConnectionContext {
  readonly env: Env;
  readonly dispatcher: Dispatcher;
  readonly counters: Counters;
  /** The encoded error document that a client gets. */
  errorReply(error: CodedError): Uint8Array;
}

/**
 * One client. Messages are answered one after another in the order in which they came. While one is at work, nothing
 * beyond the chunk that TCP already delivered is read, and while the client does not read its replies, none is worked on:
 * so a connection holds one request, one reply and two small bounds at most.
 */
export class ClientConnection implements Connection {
  readonly id: number;
  readonly remote: string;
  readonly local: string;
  client: Doc | undefined = undefined;

  readonly #socket: Socket;
  readonly #context: ConnectionContext;
  readonly #splitter = new FrameSplitter();
  #working = false;
  /** Nothing further is read: the client has ended its side, the server stops, or the stream makes no sense. */
  #leaving = false;
  /** Nothing further is begun: there is nobody to answer, or no time. */
  #gone = false;
  #hungUp = false;
  #running: WireRequest | undefined;
  /** Of the command at work. One serves many commands, for most are never interrupted, and making one is dear. */
  #abort = new AbortController();
  #room: Deferred<void> | undefined;
  #linger: Timer | undefined;
  #lastRequestId = 0;

  constructor(id: number, socket: Socket, context: ConnectionContext) {
    this.id = id;
    this.remote = hostAndPort(socket.remoteAddress, socket.remotePort);
    this.local = hostAndPort(socket.localAddress, socket.localPort);
    this.#socket = socket;
    this.#context = context;
    socket.on('data', (chunk) => this.#received(chunk));
    socket.on('drain', () => this.#room?.resolve());
    socket.on('end', () => this.#ended());
    socket.on('close', () => this.#closed());
    socket.on('error', (error) => context.env.log.debug({ connection: id, err: error }, 'the connection broke'));
  }

  /** Finishes what was received, then hangs up. A stream of replies, which has no end of its own, is cut. */
  stop(reason: CodedError): void {
    this.#leaving = true;
    if (this.#running?.exhaustAllowed) this.#interrupt(reason);
    if (!this.#working) this.#hangUp();
  }

  /** Tells the command at work to give up, and begins no other. */
  abort(reason: CodedError): void {
    this.#leaving = true;
    this.#gone = true;
    if (this.#running) this.#interrupt(reason);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #received(chunk: Buffer): void {
    this.#context.counters.bytesIn += chunk.length;
    if (this.#leaving) return;
    this.#splitter.push(chunk);
    if (this.#working) this.#socket.pause();
    else void this.#work();
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    this.#working = true;
    try {
      for (let frame = this.#splitter.next(); frame && !this.#gone; frame = this.#splitter.next()) {
        await this.#serve(frame);
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#working = false;
    if (this.#leaving) this.#hangUp();
    else this.#socket.resume();
  }

  async #serve(frame: Uint8Array): Promise<void> {
    this.#context.counters.requests++;
    let request: WireRequest;
    try {
      request = parseRequest(frame);
    } catch (error) {
      if (!(error instanceof WireError) || error.fatal) throw error;
      if (error.replyTo) await this.#send(error.replyTo, this.#context.errorReply(error), false);
      return;
    }
    this.#running = request;
    await this.#answer(request, this.#abort.signal);
    this.#running = undefined;
  }

  /** Sends one reply, or several where the client and the command want that, or none. */
  async #answer(request: WireRequest, signal: AbortSignal): Promise<void> {
    const { body, db, sequences, exhaustAllowed } = request;
    let to: ReplyTo = request;
    let message: Message = { body, db, sequences, exhaustAllowed, signal };
    for (;;) {
      const reply = await this.#dispatch(message);
      if (request.moreToCome) return;
      const next = exhaustAllowed && !signal.aborted ? reply.next : undefined;
      const requestId = await this.#send(to, reply.body, next !== undefined);
      if (!next || signal.aborted) return;
      // Each reply of a stream answers the one before it.
      to = { ...to, requestId };
      message = { ...next, signal };
    }
  }

  async #dispatch(message: Message): Promise<Reply> {
    const { dispatcher, env, errorReply } = this.#context;
    try {
      const reply = await dispatcher.dispatch(message, this);
      if (reply.body.length <= MAX_REPLY_BODY_SIZE) return reply;
      const size = `${reply.body.length} bytes, of which at most ${MAX_REPLY_BODY_SIZE} fit in a message`;
      return { body: errorReply(new CodedError('BSONObjectTooLarge', `the reply has ${size}`)), next: undefined };
    } catch (error) {
      env.log.error({ connection: this.id, err: error }, 'a command crashed');
      return {
        body: errorReply(new CodedError('InternalError', 'the command failed inside the server')),
        next: undefined,
      };
    }
  }

  /** Returns the id that the reply went out with, once there is room for another. */
  async #send(to: ReplyTo, body: Uint8Array, moreToCome: boolean): Promise<number> {
    const requestId = this.#lastRequestId === REQUEST_ID_MAX ? 1 : this.#lastRequestId + 1;
    this.#lastRequestId = requestId;
    if (this.#socket.writable) this.#write(encodeReply(to, { requestId, body, moreToCome }));
    if (this.#socket.writableLength > UNSENT_BYTES_MAX && !this.#socket.destroyed) {
      this.#room = deferred();
      await this.#room.promise;
      this.#room = undefined;
    }
    return requestId;
  }

  #write(pieces: readonly Uint8Array[]): void {
    const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
    this.#context.counters.bytesOut += size;
    if (size <= COPY_BYTES_MAX) {
      this.#socket.write(Buffer.concat(pieces, size));
      return;
    }
    this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece);
    this.#socket.uncork();
  }

  #fail(error: unknown): void {
    const { log } = this.#context.env;
    if (error instanceof WireError) {
      log.info({ connection: this.id, remote: this.remote }, `the connection is closed: ${error.message}`);
      if (error.farewell && this.#socket.writable) this.#write([error.farewell]);
    } else {
      log.error({ connection: this.id, err: error }, 'the connection loop crashed');
    }
    this.#leaving = true;
  }

  /** The client ended its side. It may still read (a pipe into `nc` does), so what was received is answered. */
  #ended(): void {
    this.#leaving = true;
    this.#clientLeft();
    if (!this.#working) this.#hangUp();
  }

  #closed(): void {
    this.#leaving = true;
    this.#gone = true;
    this.#linger?.cancel();
    this.#room?.resolve();
    this.#clientLeft();
  }

  /**
   * Whoever waits on the client's behalf should know. A write that asked for no reply is done all the same: its client
   * left because it was content.
   */
  #clientLeft(): void {
    if (!this.#running || this.#running.moreToCome) return;
    this.#interrupt(new CodedError('ClientDisconnect', 'the client has disconnected'));
  }

  #interrupt(reason: CodedError): void {
    const interrupted = this.#abort;
    this.#abort = new AbortController();
    interrupted.abort(reason);
  }

  /** Ends our side behind the last reply. Closing outright would reset a client that still sends, and lose the reply. */
  #hangUp(): void {
    if (this.#hungUp || this.#socket.destroyed) return;
    this.#hungUp = true;
    this.#socket.end(() => {
      if (this.#socket.destroyed) return;
      this.#linger = this.#context.env.clock.timer(LINGER_MS, () => this.destroy(), { unref: true });
    });
    this.#socket.resume();
  }
}
