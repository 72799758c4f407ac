import type { Clock, Timer } from '../base/index.ts';
import { readIdentify, readResume } from './gateway-forms.ts';
import {
  CLOSE,
  type CloseCode,
  type Command,
  GatewayClose,
  type GatewayLink,
  OP,
  type Payload,
  parseCommand,
  payload,
} from './gateway-protocol.ts';
import type { GatewaySession } from './gateway-session.ts';
import type { GatewaySessions } from './gateway-sessions.ts';
import { membersChunk } from './guild-members.ts';
import type { EmulatorCore } from './types.ts';

/** What HELLO asks for, as captures of Discord show it. */
export const HEARTBEAT_MS = 41_250;

/** A client silent for this long is a zombie and gets closed. */
export const ZOMBIE_MS = HEARTBEAT_MS * 1.5;

/** What a client may send: bytes in one payload, payloads in one window. */
export const MAX_PAYLOAD_BYTES = 4096;
export const SEND_LIMIT = 120;
export const SEND_WINDOW_MS = 60_000;

/** What a connection needs of the gateway that it belongs to. */
export interface ConnectionContext {
  readonly core: EmulatorCore;
  readonly clock: Clock;
  readonly sessions: GatewaySessions;
  readonly left: (connection: GatewayConnection) => void;
}

/**
 * The state machine of one connection: HELLO, then IDENTIFY or RESUME, then a session until either side closes. Text
 * comes in through `receive`; what goes out, and closing, is the link's.
 */
export class GatewayConnection {
  readonly #context: ConnectionContext;
  readonly #outer: GatewayLink;
  /** What the session holds; silent once this connection is closed. */
  readonly #link: GatewayLink;
  #session: GatewaySession | undefined;
  #open = true;
  #zombie: Timer | undefined;
  #windowStart = Number.NEGATIVE_INFINITY;
  #sent = 0;

  constructor(context: ConnectionContext, link: GatewayLink) {
    this.#context = context;
    this.#outer = link;
    this.#link = {
      send: (sent) => this.#send(sent),
      close: (code) => this.close(code),
    };
  }

  hello(): void {
    this.#send(payload(OP.hello, { heartbeat_interval: HEARTBEAT_MS, _trace: [] }));
    this.#awaitHeartbeat();
  }

  /** One message of the client. */
  receive(text: string): void {
    if (!this.#open) return;
    try {
      if (Buffer.byteLength(text) > MAX_PAYLOAD_BYTES) throw new GatewayClose(CLOSE.decodeError);
      this.#countSend();
      this.#obey(parseCommand(text));
    } catch (error) {
      if (!(error instanceof GatewayClose)) throw error;
      this.close(error.code);
    }
  }

  /** The client closed, or its socket broke (no code). 1000 and 1001 end the session, the rest leave it to a RESUME. */
  closed(code?: number): void {
    this.#leave(code === CLOSE.normal || code === CLOSE.goingAway);
  }

  /** Closes from this side. The session, if any, may be resumed unless the code says that it is over. */
  close(code: CloseCode): void {
    if (!this.#open) return;
    this.#leave(ENDS_SESSION.has(code));
    this.#outer.close(code);
  }

  #obey(command: Command): void {
    switch (command.op) {
      case OP.heartbeat:
        this.#heartbeat(command.d);
        break;
      case OP.identify:
        this.#identify(command.d);
        break;
      case OP.resume:
        this.#resume(command.d);
        break;
      case OP.presenceUpdate:
      case OP.voiceStateUpdate:
        // Nobody looks at a bot's presence here, and there is no voice: taken and forgotten.
        this.#authenticated();
        break;
      case OP.requestGuildMembers: {
        const session = this.#authenticated();
        session.dispatch('GUILD_MEMBERS_CHUNK', membersChunk(this.#context.core, session, command.d));
        break;
      }
      default:
        throw new GatewayClose(CLOSE.unknownOpcode);
    }
  }

  #heartbeat(seq: unknown): void {
    if (seq !== null && !Number.isInteger(seq)) throw new GatewayClose(CLOSE.decodeError);
    this.#send(payload(OP.heartbeatAck));
    this.#awaitHeartbeat();
  }

  #identify(d: unknown): void {
    if (this.#current()) throw new GatewayClose(CLOSE.alreadyAuthenticated);
    this.#session = this.#context.sessions.begin(readIdentify(this.#context.core, d), this.#link);
    if (!this.#session) this.#send(payload(OP.invalidSession, false));
  }

  #resume(d: unknown): void {
    if (this.#current()) throw new GatewayClose(CLOSE.alreadyAuthenticated);
    const { token, sessionId, seq } = readResume(this.#context.core, d);
    this.#session = this.#context.sessions.resume(token, sessionId, seq, this.#link);
    if (!this.#session) this.#send(payload(OP.invalidSession, false));
  }

  #authenticated(): GatewaySession {
    const session = this.#current();
    if (!session) throw new GatewayClose(CLOSE.notAuthenticated);
    return session;
  }

  #send(sent: Payload): void {
    if (this.#open) this.#outer.send(sent);
  }

  #leave(ended: boolean): void {
    if (!this.#open) return;
    this.#open = false;
    this.#zombie?.cancel();
    const session = this.#current();
    if (session) this.#context.sessions.leave(session, ended);
    this.#context.left(this);
  }

  /** The session, unless it was invalidated under the connection. */
  #current(): GatewaySession | undefined {
    return this.#session?.link === this.#link ? this.#session : undefined;
  }

  #awaitHeartbeat(): void {
    this.#zombie?.cancel();
    const die = () => this.close(CLOSE.sessionTimedOut);
    this.#zombie = this.#context.clock.timer(ZOMBIE_MS, die, { unref: true });
  }

  #countSend(): void {
    const now = this.#context.clock.monotonic();
    if (now - this.#windowStart >= SEND_WINDOW_MS) {
      this.#windowStart = now;
      this.#sent = 0;
    }
    if (++this.#sent > SEND_LIMIT) throw new GatewayClose(CLOSE.rateLimited);
  }
}

/** Closes after which Discord asks for a new session. */
const ENDS_SESSION: ReadonlySet<number> = new Set([
  CLOSE.normal,
  CLOSE.goingAway,
  CLOSE.authenticationFailed,
  CLOSE.invalidSequence,
  CLOSE.sessionTimedOut,
]);
