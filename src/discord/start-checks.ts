import { StoreError } from '../store/index.ts';
import { list, object, text } from './objects.ts';
import { inviteUrl, memberPermissions, missingPermissions, type Role } from './permissions.ts';
import { type Rest, Unreachable } from './rest.ts';
import { type Route, routes } from './routes.ts';
import { isAway, readFlags, seesContent } from './standing.ts';

/** Why the server cannot start, and what a person has to click to mend it. To be shown without a stack. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** Tries of each request at the start: a person is waiting, so trouble is told rather than waited out. */
const TRIES = 3;
const PORTAL = 'https://discord.com/developers/applications';

export interface Identity {
  readonly userId: string;
  readonly applicationId: string;
}

/** Token, intent, guilds and permissions, in this order. Throws a `StartError` at the first that is wrong. */
export async function checkStart(rest: Rest, guildIds: readonly string[], apiUrl: string): Promise<Identity> {
  const get = <T>(route: Route, read: (json: unknown) => T) =>
    rest.request({ route, priority: 'read', read, tries: TRIES }).catch((error: unknown) => {
      throw unreachableError(error, apiUrl);
    });
  const userId = await get(routes.me(), (json) => text(object(json, 'user'), 'id')).catch(explain(tokenError));
  const application = await get(routes.application(), (json) => object(json, 'application')).catch(explain(tokenError));
  const applicationId = text(application, 'id');
  if (!seesContent(readFlags(application))) throw new StartError(intentAdvice(applicationId));

  for (const guildId of guildIds) {
    const notThere = explain((error) => guildError(error, guildId, applicationId));
    const guild = await get(routes.guild(guildId), readGuild).catch(notThere);
    const own = await get(routes.member(guildId, userId), readMemberRoles).catch(notThere);
    if (guild.ownerId === userId) continue;
    const missing = missingPermissions(memberPermissions(guildId, guild.roles, own));
    if (missing.length > 0) throw permissionError(missing, guild.name, applicationId);
  }
  return { userId, applicationId };
}

export function intentAdvice(applicationId: string): string {
  return (
    'The bot may not read message content, so what others wrote would come back blank. ' +
    `Open ${PORTAL}/${applicationId}/bot, switch on "Message Content Intent" under "Privileged Gateway Intents", ` +
    'and press "Save Changes".'
  );
}

export function tokenAdvice(): string {
  return (
    `Discord does not know this bot token. Open ${PORTAL}, choose your application, go to "Bot", press "Reset Token", ` +
    'and give the new token to DiscoDB (the old one is dead from then on).'
  );
}

function tokenError(error: StoreError): StartError | undefined {
  return error.code === 'unauthorized' ? new StartError(tokenAdvice()) : undefined;
}

function guildError(error: StoreError, guildId: string, applicationId: string): StartError | undefined {
  if (!isAway(error)) return undefined;
  return new StartError(
    `The bot is not in a server with the id ${guildId}. Check the id (in Discord: User Settings > Advanced > Developer ` +
      'Mode on, then right-click the server and "Copy Server ID"), or invite the bot to the server by opening ' +
      `${inviteUrl(applicationId)}`,
  );
}

function permissionError(missing: readonly string[], guildName: string, applicationId: string): StartError {
  return new StartError(
    `The bot lacks permissions in the server ${JSON.stringify(guildName)}: ${missing.join(', ')}. Open ` +
      `${inviteUrl(applicationId)}, choose the server and press "Authorize", or switch them on in Discord under ` +
      "Server Settings > Roles > the bot's role > Permissions.",
  );
}

function unreachableError(error: unknown, apiUrl: string): unknown {
  if (!(error instanceof Unreachable)) return error;
  return new StartError(
    `Discord does not answer at ${apiUrl} (${error.message}). Check the network connection, any proxy, and the address ` +
      'given with --discord-api.',
  );
}

/** A handler that turns a refusal into the story it tells, and leaves other errors alone but for their class. */
function explain(story: (error: StoreError) => StartError | undefined): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof StoreError)) throw error;
    throw story(error) ?? new StartError(`Discord does not let the bot start: ${error.message}`);
  };
}

function readGuild(json: unknown): { name: string; ownerId: string; roles: Role[] } {
  const guild = object(json, 'guild');
  const roles = list(guild.roles, 'roles').map((item) => {
    const role = object(item, 'role');
    return { id: text(role, 'id'), permissions: BigInt(text(role, 'permissions')) };
  });
  return { name: text(guild, 'name'), ownerId: text(guild, 'owner_id'), roles };
}

function readMemberRoles(json: unknown): ReadonlySet<string> {
  return new Set(list(object(json, 'member').roles, 'roles').map(String));
}
