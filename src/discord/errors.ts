import { StoreError, type StoreErrorCode } from '../store/index.ts';
import { jsonObject } from './limit-headers.ts';
import type { TransportReply } from './transport.ts';

/** Discord's JSON error codes that mean something to a store (docs: topics/opcodes-and-status-codes.mdx). */
export const DiscordCode = {
  unknownChannel: 10003,
  unknownGuild: 10004,
  unknownMember: 10007,
  unknownMessage: 10008,
  tooManyChannels: 30013,
  tooManyCategories: 30030,
  tooOldForBulkDelete: 50034,
} as const;

/** Field code at `parent_id` when a category holds 50 channels; it hides in a 50035. */
const CATEGORY_FULL = 'CHANNEL_PARENT_MAX_CHANNELS';
/** So much of Discord's own words an error repeats. */
const MAX_QUOTE = 300;

/** Discord's final no to one request. `discordCode` is 0 where the body named none. */
export class ApiError extends StoreError {
  readonly status: number;
  readonly discordCode: number;

  constructor(code: StoreErrorCode, message: string, status: number, discordCode: number) {
    super(code, message);
    this.status = status;
    this.discordCode = discordCode;
  }

  /** Only this pair says so: a 403 with the same code is a block against abuse. */
  get unknownMessage(): boolean {
    return this.status === 404 && this.discordCode === DiscordCode.unknownMessage;
  }
}

/** `lost`: the request may have been carried out. `refused`: it was not, and may be sent again. */
export type Verdict = { kind: 'done' } | { kind: 'lost' } | { kind: 'refused' } | { kind: 'failed'; error: ApiError };

/** What a reply means for its request. `what` names the request in errors: method and route, never a header. */
export function judge(reply: TransportReply, what: string): Verdict {
  const { status } = reply;
  if (status >= 200 && status < 300) return { kind: 'done' };
  if (status === 429) return { kind: 'refused' };
  if (status >= 500 || status === 408) return { kind: 'lost' };
  const body = jsonObject(reply.body);
  // A page of the edge before Discord, which says nothing about permissions and passes.
  if (status === 403 && body === undefined) return { kind: 'lost' };
  const discordCode = typeof body?.code === 'number' ? body.code : 0;
  const said = typeof body?.message === 'string' ? body.message : 'no words that Discord would use';
  const fields = body?.errors === undefined ? '' : ` ${JSON.stringify(body.errors)}`;
  const quote = `${said}${fields}`.slice(0, MAX_QUOTE);
  const code = storeCode(status, discordCode, fields);
  return {
    kind: 'failed',
    error: new ApiError(code, `${what}: ${status}/${discordCode} ${quote}`, status, discordCode),
  };
}

function storeCode(status: number, discordCode: number, fields: string): StoreErrorCode {
  if (status === 401) return 'unauthorized';
  // With this code it is a block against abuse, which nobody can mend in the server's settings.
  if (status === 403) return discordCode === DiscordCode.unknownMessage ? 'refused' : 'forbidden';
  if (status === 404) return GONE.has(discordCode) ? 'gone' : 'refused';
  return GUILD_FULL.has(discordCode) || fields.includes(CATEGORY_FULL) ? 'full' : 'refused';
}

/** No room for this channel: 500 channels, or 50 categories. */
export const GUILD_FULL: ReadonlySet<number> = new Set([DiscordCode.tooManyChannels, DiscordCode.tooManyCategories]);
const GONE: ReadonlySet<number> = new Set([DiscordCode.unknownChannel, DiscordCode.unknownGuild]);
