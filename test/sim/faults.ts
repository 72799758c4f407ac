import type { Transport } from '../../src/discord/index.ts';
import type { Fault } from '../../src/emulator/index.ts';
import type { Stage } from '../support/stage.ts';

/** Always there, so that no request is safe. */
const DRIZZLE: readonly Fault[] = [
  { kind: 'lose-reply', probability: 0.02 },
  { kind: 'error-before', status: 502, probability: 0.01 },
  { kind: 'error-after', status: 500, probability: 0.01 },
  { kind: 'rate-limit', scope: 'user', ms: 700, probability: 0.01 },
  { kind: 'rate-limit', scope: 'shared', ms: 400, probability: 0.01 },
  { kind: 'latency', ms: 1500, probability: 0.02 },
  { kind: 'latency', ms: 4000, route: 'cdn', probability: 0.1 },
  { kind: 'gateway-drop', probability: 0.05 },
  { kind: 'gateway-repeat', probability: 0.05 },
  { kind: 'gateway-reorder', probability: 0.05 },
];

/** One of these rages for a while. */
const STORMS: readonly (readonly Fault[])[] = [
  [{ kind: 'rate-limit', scope: 'user', ms: 3000, probability: 0.3 }],
  [{ kind: 'rate-limit', scope: 'shared', ms: 2000, probability: 0.4 }],
  [{ kind: 'rate-limit', scope: 'global', ms: 5000, probability: 0.1 }],
  [{ kind: 'cloudflare', probability: 0.02 }],
  [{ kind: 'error-before', status: 503, probability: 0.6 }],
  [{ kind: 'error-after', status: 500, probability: 0.5 }],
  [{ kind: 'lose-reply', probability: 0.5 }],
  [{ kind: 'lose-reply', route: 'POST /channels/:id/messages', probability: 1 }],
  [{ kind: 'latency', ms: 40_000, probability: 0.05 }],
  [
    { kind: 'latency', ms: 20_000, route: 'cdn', probability: 0.7 },
    { kind: 'lose-reply', route: 'cdn', probability: 0.3 },
    { kind: 'error-before', status: 503, route: 'cdn', probability: 0.2 },
  ],
  [
    { kind: 'gateway-disconnect', probability: 0.2 },
    { kind: 'gateway-reconnect', probability: 0.1 },
    { kind: 'gateway-invalid', probability: 0.1 },
    { kind: 'gateway-drop', probability: 0.5 },
  ],
];

/** Links to attachments end before their time, once they are this old. */
const LINK_RESTS_MS = 5000;
const LINK_ENDS = 0.1;

export function drizzle(): readonly Fault[] {
  return DRIZZLE;
}

export function storm(stage: Stage): readonly Fault[] {
  return [...STORMS[stage.integer(STORMS.length)]!, ...DRIZZLE];
}

/** Discord's links say when they were signed, as `is` in hexadecimal seconds. Asked for anew, one is good again. */
export function endingLinks(stage: Stage): (direct: Transport) => Transport {
  const ended = new Set<string>();
  return (direct) => async (request, signal) => {
    const { pathname, searchParams } = new URL(request.url);
    const issuedAt = Number.parseInt(searchParams.get('is') ?? '', 16) * 1000;
    const rests = stage.clock.now() - issuedAt <= LINK_RESTS_MS || ended.has(request.url);
    if (!pathname.startsWith('/attachments/') || rests || !stage.chance(LINK_ENDS)) return direct(request, signal);
    // The emulator signs alike for some hours, so the renewed link may be this one.
    ended.add(request.url);
    return { status: 404, headers: {}, body: new Uint8Array() };
  };
}

/** An answer that is not what it should be comes so often. */
const MANGLED = 0.005;

/** Answers come broken off, as a page of HTML, or empty: what the client makes of them is what it makes of none. */
export function mangled(stage: Stage): (direct: Transport) => Transport {
  return (direct) => async (request, signal) => {
    const reply = await direct(request, signal);
    if (request.url.includes('/attachments/') || reply.status !== 200 || !stage.chance(MANGLED)) return reply;
    const { status, headers, body } = reply;
    const how = stage.integer(3);
    if (how === 0) return { status, headers, body: body.subarray(0, stage.integer(body.length)) };
    if (how === 1) return { status, headers, body: Buffer.from('<!DOCTYPE html><title>Just a moment...</title>') };
    return { status: 502, headers: {}, body: new Uint8Array() };
  };
}
