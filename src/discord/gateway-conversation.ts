import type { Env, Timer } from '../base/index.ts';
import type { GatewayLink, GatewayListener, OpenGateway } from './gateway-link.ts';
import { afterClose, CLOSE_FOR_GOOD, CLOSE_TO_RESUME, INTENTS, Opcode } from './gateway-protocol.ts';
import { object, text } from './objects.ts';

/** From the opening to READY or RESUMED. */
const OPENING_MS = 30_000;
/** What Discord may ask for; captures show 41,250. */
const HEARTBEAT_MIN_MS = 1000;
const HEARTBEAT_MAX_MS = 10 * 60_000;
/** The wait that the documentation asks for after an invalid session: 1 to 5 seconds. */
const INVALID_PAUSE_MIN_MS = 1000;
const INVALID_PAUSE_MAX_MS = 5000;

/** Where a session can be taken up again. */
export interface ResumePoint {
  readonly sessionId: string;
  readonly url: string;
  /** The last event that was heard. */
  readonly seq: number;
}

/** How a connection came to its end. */
export interface Ending {
  /** `identify`: the session is lost, or never was. */
  readonly next: 'resume' | 'identify' | 'never';
  readonly point: ResumePoint | undefined;
  /** Of Discord's close code, or what happened. */
  readonly why: string;
  readonly code: number | undefined;
  /** To be waited before what is next. */
  readonly pauseMs: number;
}

export interface ConversationHooks {
  /** An IDENTIFY is leaving. */
  identifying(): void;
  /** READY, or RESUMED after what was missed. */
  listening(resumed: boolean): void;
  dispatch(type: string, data: unknown): void;
  /** Once, at the end. */
  over(ending: Ending): void;
}

/** The client's side of the protocol on one connection: HELLO, IDENTIFY or RESUME, heartbeats, events, and its end. */
export class GatewayConversation implements GatewayListener {
  readonly #env: Env;
  readonly #token: string;
  readonly #hooks: ConversationHooks;
  readonly #resuming: ResumePoint | undefined;
  #point: ResumePoint | undefined;
  #seq: number | undefined;
  #link: GatewayLink | undefined;
  #deadline: Timer | undefined;
  #heartbeat: Timer | undefined;
  #acknowledged = true;
  #over = false;

  constructor(env: Env, token: string, point: ResumePoint | undefined, hooks: ConversationHooks) {
    this.#env = env;
    this.#token = token;
    this.#hooks = hooks;
    this.#resuming = point;
    this.#point = point;
    this.#seq = point?.seq;
  }

  begin(open: OpenGateway, url: string): void {
    this.#link = open(url, this);
    const late = () => this.#hangUp('no session in time');
    this.#deadline = this.#env.clock.timer(OPENING_MS, late, { unref: true });
  }

  received(payload: unknown): void {
    if (this.#over) return;
    try {
      this.#obey(object(payload, 'gateway payload'));
    } catch (error) {
      this.#hangUp(error instanceof Error ? error.message : String(error));
    }
  }

  closed(code: number): void {
    const next = afterClose(code);
    this.#end(next, `Discord closed with ${code}`, { code });
  }

  /** Ends the session with the connection. */
  leave(): void {
    this.#link?.close(CLOSE_FOR_GOOD);
    this.#end('identify', 'closed from here');
  }

  #obey(payload: Readonly<Record<string, unknown>>): void {
    switch (payload.op) {
      case Opcode.hello:
        this.#hello(object(payload.d, 'HELLO').heartbeat_interval);
        break;
      case Opcode.heartbeat:
        this.#beat();
        break;
      case Opcode.heartbeatAck:
        this.#acknowledged = true;
        break;
      case Opcode.reconnect:
        this.#hangUp('Discord asked for a new connection');
        break;
      case Opcode.invalidSession:
        this.#invalid(payload.d === true);
        break;
      case Opcode.dispatch:
        this.#dispatch(text(payload, 't'), payload.s, payload.d);
        break;
      default:
        // An opcode of tomorrow is none of ours.
        break;
    }
  }

  #hello(interval: unknown): void {
    const asked = typeof interval === 'number' && Number.isFinite(interval) ? interval : HEARTBEAT_MIN_MS;
    const every = Math.min(HEARTBEAT_MAX_MS, Math.max(HEARTBEAT_MIN_MS, asked));
    // The first one at a moment left to chance, so that all clients of a restarted gateway do not beat together.
    this.#schedule(every * this.#env.random.next(), every);
    const resuming = this.#resuming;
    if (resuming) {
      const { sessionId, seq } = resuming;
      this.#send(Opcode.resume, { token: this.#token, session_id: sessionId, seq });
      return;
    }
    this.#hooks.identifying();
    const properties = { os: process.platform, browser: 'discodb', device: 'discodb' };
    this.#send(Opcode.identify, { token: this.#token, intents: INTENTS, properties });
  }

  #schedule(ms: number, every: number): void {
    this.#heartbeat?.cancel();
    const due = () => {
      // Nothing came back: the connection is a zombie, whatever the operating system says.
      if (!this.#acknowledged) {
        this.#hangUp('heartbeats are not acknowledged');
        return;
      }
      this.#acknowledged = false;
      this.#beat();
      this.#schedule(every, every);
    };
    this.#heartbeat = this.#env.clock.timer(ms, due, { unref: true });
  }

  #beat(): void {
    this.#send(Opcode.heartbeat, this.#seq ?? null);
  }

  #dispatch(type: string, seq: unknown, data: unknown): void {
    if (typeof seq === 'number') this.#seq = seq;
    if (type === 'READY') {
      const ready = object(data, 'READY');
      this.#point = { sessionId: text(ready, 'session_id'), url: text(ready, 'resume_gateway_url'), seq: 0 };
      this.#listening(false);
    } else if (type === 'RESUMED') this.#listening(true);
    else this.#hooks.dispatch(type, data);
  }

  #listening(resumed: boolean): void {
    this.#deadline?.cancel();
    this.#hooks.listening(resumed);
  }

  #invalid(resumable: boolean): void {
    if (resumable) {
      this.#hangUp('Discord called the session invalid, to be resumed');
      return;
    }
    const span = INVALID_PAUSE_MAX_MS - INVALID_PAUSE_MIN_MS;
    const pauseMs = INVALID_PAUSE_MIN_MS + this.#env.random.next() * span;
    this.#link?.close(CLOSE_TO_RESUME);
    this.#end('identify', 'Discord called the session invalid', { pauseMs });
  }

  /** Closes from this side, to take the session up again on another connection. */
  #hangUp(why: string): void {
    this.#link?.close(CLOSE_TO_RESUME);
    this.#end('resume', why);
  }

  #send(op: number, d: unknown): void {
    this.#link?.send({ op, d });
  }

  #end(next: Ending['next'], why: string, more: { code?: number; pauseMs?: number } = {}): void {
    if (this.#over) return;
    this.#over = true;
    this.#deadline?.cancel();
    this.#heartbeat?.cancel();
    const { code, pauseMs = 0 } = more;
    const point = next === 'resume' && this.#point ? { ...this.#point, seq: this.#seq ?? 0 } : undefined;
    this.#hooks.over({ next: next === 'resume' && !point ? 'identify' : next, point, why, code, pauseMs });
  }
}
