import type { TransportReply } from './transport.ts';

/** What the headers of an ordinary reply say about the counter that it met (docs: topics/rate-limits.mdx). */
export interface LimitNotice {
  /** Names the counter together with the major id; absent where Discord left it out. */
  readonly bucket: string | undefined;
  readonly limit: number;
  readonly remaining: number;
  /** Until the counter is full again. */
  readonly resetAfterMs: number;
}

/** What a 429 says. */
export interface LimitRefusal {
  /** `edge`: Cloudflare refused, and Discord never saw the request. */
  readonly scope: 'user' | 'shared' | 'global' | 'edge';
  readonly waitMs: number;
  /** More was left in the counter that the headers show, so a hidden one stacked on it refused. */
  readonly sublimit: boolean;
}

/** When Cloudflare names no time. */
const EDGE_WAIT_MS = 60_000;
/** When Discord names no time. */
const DEFAULT_WAIT_MS = 1000;
/** No wait is believed beyond this: a thread limit once answered 74 s too much, a bucket once 28 h. */
const MAX_WAIT_MS = 60 * 60 * 1000;

/** `undefined` when the reply names no counter: then only the global one is known to hold. */
export function readNotice(headers: TransportReply['headers']): LimitNotice | undefined {
  const limit = number(headers['x-ratelimit-limit']);
  const remaining = number(headers['x-ratelimit-remaining']);
  const resetAfter = number(headers['x-ratelimit-reset-after']);
  if (limit === undefined || remaining === undefined || resetAfter === undefined || limit < 1) return undefined;
  return { bucket: headers['x-ratelimit-bucket'], limit, remaining, resetAfterMs: clamp(resetAfter * 1000) };
}

/** The larger of header and body counts, since each has been seen too small (header in whole seconds, body in decimals). */
export function readRefusal(reply: TransportReply): LimitRefusal {
  const { headers } = reply;
  const body = jsonObject(reply.body);
  const header = number(headers['retry-after']);
  const inBody = typeof body?.retry_after === 'number' ? body.retry_after : undefined;
  const seconds = header === undefined && inBody === undefined ? undefined : Math.max(header ?? 0, inBody ?? 0);
  const discord = body !== undefined || headers['x-ratelimit-scope'] !== undefined;
  if (!discord) return { scope: 'edge', waitMs: clamp((seconds ?? EDGE_WAIT_MS / 1000) * 1000), sublimit: false };
  const waitMs = seconds === undefined ? DEFAULT_WAIT_MS : clamp(seconds * 1000);
  if (headers['x-ratelimit-global'] === 'true' || headers['x-ratelimit-scope'] === 'global' || body?.global === true) {
    return { scope: 'global', waitMs, sublimit: false };
  }
  const scope = headers['x-ratelimit-scope'] === 'shared' ? 'shared' : 'user';
  return { scope, waitMs, sublimit: (number(headers['x-ratelimit-remaining']) ?? 0) > 0 };
}

/** The reply's JSON object, or undefined when it is something else (an HTML page, half a reply). */
export function jsonObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function number(text: string | undefined): number | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const value = Number(text);
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}

function clamp(ms: number): number {
  return Math.min(ms, MAX_WAIT_MS);
}
