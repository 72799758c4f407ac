import { snowflakeTime } from './snowflake.ts';

/** One limit of Discord's, with the numbers of discord-facts 1a. */
export interface LimitRule {
  /** Names the counter; the bucket hash is made of it. */
  readonly name: string;
  readonly limit: number;
  readonly windowMs: number;
  /** `leaky` gains tokens all the time, `window` all at once when the window ends. */
  readonly refill: 'leaky' | 'window';
  /** `hidden` limits do not show in headers until they refuse. */
  readonly hidden?: true;
  /** One counter for all bots, and a refusal that does not count as an invalid request. */
  readonly shared?: true;
  /** The JSON error code in the body of a refusal. */
  readonly code?: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

/** Every authenticated call of one bot, in fixed windows (docs: topics/rate-limits). */
export const GLOBAL_LIMIT = { limit: 50, windowMs: SECOND } as const;

/** {401, 403, 429} answers to one address before Cloudflare refuses all of its requests. */
export const INVALID_REQUEST_LIMIT = { limit: 10_000, windowMs: 10 * MINUTE, banMs: DAY } as const;

const rule = (name: string, limit: number, windowMs: number, more: Partial<LimitRule> = {}): LimitRule => ({
  name,
  limit,
  windowMs,
  refill: 'leaky',
  ...more,
});

/** The rules, by what they limit. The major id (channel or guild) is part of a counter's key, not of its name. */
export const RULE = {
  createMessage: rule('create-message', 5, 5 * SECOND),
  /** Size unknown; large enough that it shows only where several bots write to one channel. */
  channelWrite: rule('channel-write', 25, 5 * SECOND, { hidden: true, shared: true, code: 20028 }),
  listMessages: rule('list-messages', 5, 5 * SECOND),
  getMessage: rule('get-message', 5, 5 * SECOND),
  editMessage: rule('edit-message', 5, 5 * SECOND),
  editOldMessage: rule('edit-old-message', 3, 6 * SECOND, { hidden: true, code: 30046 }),
  deleteFreshMessage: rule('delete-fresh-message', 5, 5 * SECOND),
  deleteMessage: rule('delete-message', 3, SECOND),
  deleteOldMessage: rule('delete-old-message', 30, 120 * SECOND),
  bulkDelete: rule('bulk-delete', 1, 3 * SECOND),
  editChannel: rule('edit-channel', 5, 15 * SECOND, { refill: 'window' }),
  nameOrTopic: rule('name-or-topic', 2, 10 * MINUTE, { refill: 'window', hidden: true }),
  getChannel: rule('get-channel', 1000, SECOND),
  overwrite: rule('overwrite', 10, 15 * SECOND, { refill: 'window' }),
  createThread: rule('create-thread', 50, 300 * SECOND, { refill: 'window' }),
  reaction: rule('reaction', 1, SECOND / 4),
} as const satisfies Record<string, LimitRule>;

const FRESH_MS = 10 * SECOND;
const OLD_DELETE_MS = 14 * DAY;
const OLD_EDIT_MS = 60 * MINUTE;

/** The counter of a single delete depends on the age of the message; what ends in a 404 counts as fresh. */
export function deleteRule(messageId: string, exists: boolean, now: number): LimitRule {
  const age = now - snowflakeTime(messageId);
  if (!exists || age < FRESH_MS) return RULE.deleteFreshMessage;
  return age > OLD_DELETE_MS ? RULE.deleteOldMessage : RULE.deleteMessage;
}

export function isOldForEdits(messageId: string, now: number): boolean {
  return now - snowflakeTime(messageId) > OLD_EDIT_MS;
}

export function isOldForBulkDelete(messageId: string, now: number): boolean {
  return now - snowflakeTime(messageId) > OLD_DELETE_MS;
}
