import { StoreError } from '../store/index.ts';
import type { Bot } from './bot.ts';
import { ApiError, DiscordCode } from './errors.ts';
import { object } from './objects.ts';
import { Unreachable } from './rest.ts';
import { routes } from './routes.ts';

/** Application flags: the portal's switch, verified or not (docs: resources/application.mdx). */
const GATEWAY_MESSAGE_CONTENT = 1 << 18;
const GATEWAY_MESSAGE_CONTENT_LIMITED = 1 << 19;
const TRIES = 3;

/** `unknown`: Discord did not answer. */
export type Standing =
  | { readonly kind: 'good' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'out'; readonly why: string };

/** Whether Discord still knows the bot, has it in every guild, and lets it read what others wrote. */
export async function standingOf(bot: Bot, guildIds: readonly string[]): Promise<Standing> {
  const get = { priority: 'commit', tries: TRIES } as const;
  try {
    const flags = await bot.rest.request({ ...get, route: routes.application(), read: readFlags });
    if (!seesContent(flags)) return { kind: 'out', why: 'its Message Content Intent is switched off' };
    for (const guildId of guildIds) {
      await bot.rest.request({ ...get, route: routes.member(guildId, bot.userId), read: () => undefined });
    }
    return { kind: 'good' };
  } catch (error) {
    if (error instanceof Unreachable) return { kind: 'unknown' };
    if (!(error instanceof StoreError)) throw error;
    return { kind: 'out', why: isAway(error) ? `it is not in the server any more (${error.message})` : error.message };
  }
}

/** A refusal that says that the guild is none of the bot's. */
export function isAway(error: StoreError): boolean {
  const noMember = error instanceof ApiError && error.discordCode === DiscordCode.unknownMember;
  return error.code === 'gone' || error.code === 'forbidden' || noMember;
}

/** Of an application's JSON. */
export function readFlags(json: unknown): number {
  const { flags } = object(json, 'application');
  return typeof flags === 'number' ? flags : 0;
}

export function seesContent(flags: number): boolean {
  return (flags & (GATEWAY_MESSAGE_CONTENT | GATEWAY_MESSAGE_CONTENT_LIMITED)) !== 0;
}
