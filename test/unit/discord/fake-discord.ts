import { type Env, seededRandom, silentLog, sleep, VirtualClock } from '../../../src/base/index.ts';
import type { Transport, TransportReply, TransportRequest } from '../../../src/discord/transport.ts';
import { withVirtualGlobals } from '../../support/virtual-globals.ts';

export const TOKEN = 'MTA1.secret-token.xyz';
export const API = 'https://discord.test/api/v10';

/** A virtual clock whose wall time an administrator may set back. */
export class SettableClock extends VirtualClock {
  #setBackMs = 0;

  override now(): number {
    return super.now() - this.#setBackMs;
  }

  setBack(ms: number): void {
    this.#setBackMs += ms;
  }
}

export interface World {
  readonly clock: SettableClock;
  readonly env: Env;
}

/** Runs a test in virtual time, timers of bottleneck included. */
export function inVirtualTime(run: (world: World) => Promise<void>): () => Promise<void> {
  return async () => {
    const clock = new SettableClock();
    const env: Env = { clock, random: seededRandom(7), log: silentLog };
    await withVirtualGlobals(clock, () => clock.run(run({ clock, env })));
  };
}

export type Answer = TransportReply | Error;

export interface Seen {
  readonly method: string;
  /** Below the API address. */
  readonly path: string;
  readonly at: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** A transport that takes `latencyMs` each way, and notes what it saw. */
export function fakeTransport(
  world: World,
  latencyMs: number,
  answer: (seen: Seen) => Answer | Promise<Answer>,
): { transport: Transport; seen: Seen[] } {
  const seen: Seen[] = [];
  const transport: Transport = async (request, signal) => {
    await sleep(world.clock, latencyMs, signal);
    const entry = see(request, world.clock.now());
    seen.push(entry);
    const reply = await answer(entry);
    await sleep(world.clock, latencyMs, signal);
    if (reply instanceof Error) throw reply;
    return reply;
  };
  return { transport, seen };
}

/** A reply that never comes. */
export function never(): Promise<Answer> {
  return new Promise(() => {});
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): TransportReply {
  const bytes = status === 204 ? new Uint8Array() : new TextEncoder().encode(JSON.stringify(body));
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: bytes };
}

export function html(status: number, headers: Record<string, string> = {}): TransportReply {
  return { status, headers, body: new TextEncoder().encode('<!DOCTYPE html><title>error code: 1015</title>') };
}

export function message(id: bigint | string, content = 'hello', authorId = '42', attachments: unknown[] = []): unknown {
  return { id: String(id), content, attachments, author: { id: authorId } };
}

function see(request: TransportRequest, at: number): Seen {
  const text = (request.body ?? []).map((chunk) => new TextDecoder().decode(chunk)).join('');
  return { method: request.method, path: request.url.replace(API, ''), at, headers: request.headers, text };
}

/** A counter as Discord keeps it, with what the headers say; `take` answers whether the request was within it. */
export class ServerBucket {
  readonly limit: number;
  readonly windowMs: number;
  readonly refill: 'window' | 'leaky';
  readonly hash: string;
  overruns = 0;
  #tokens: number;
  #at = Number.NEGATIVE_INFINITY;

  constructor(limit: number, windowMs: number, refill: 'window' | 'leaky', hash = `hash-${limit}`) {
    this.limit = limit;
    this.windowMs = windowMs;
    this.refill = refill;
    this.hash = hash;
    this.#tokens = limit;
  }

  /** The headers of a reply, or a 429 when the counter was empty. */
  take(now: number): { headers: Record<string, string>; refusal: TransportReply | undefined } {
    if (this.refill === 'leaky') {
      this.#tokens = Math.min(this.limit, this.#tokens + ((now - this.#at) * this.limit) / this.windowMs);
      this.#at = now;
    } else if (now >= this.#at + this.windowMs) {
      this.#tokens = this.limit;
      this.#at = now;
    }
    const allowed = this.#tokens >= 1;
    if (allowed) this.#tokens -= 1;
    else this.overruns += 1;
    const headers = this.#headers(now);
    const wait = this.refill === 'leaky' ? ((1 - this.#tokens) * this.windowMs) / this.limit : this.#untilFull(now);
    const refusal = allowed
      ? undefined
      : json(
          429,
          { message: 'slow down', retry_after: wait / 1000, global: false },
          {
            ...headers,
            'retry-after': String(Math.ceil(wait / 1000)),
            'x-ratelimit-scope': 'user',
          },
        );
    return { headers, refusal };
  }

  #untilFull(now: number): number {
    return this.refill === 'leaky'
      ? ((this.limit - this.#tokens) * this.windowMs) / this.limit
      : this.#at + this.windowMs - now;
  }

  #headers(now: number): Record<string, string> {
    return {
      'x-ratelimit-limit': String(this.limit),
      'x-ratelimit-remaining': String(Math.floor(this.#tokens)),
      'x-ratelimit-reset-after': (Math.ceil(this.#untilFull(now)) / 1000).toFixed(3),
      'x-ratelimit-bucket': this.hash,
    };
  }
}
