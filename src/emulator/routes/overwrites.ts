import { apiError } from '../errors.ts';
import type { Form } from '../form.ts';
import { RULE } from '../limits.ts';
import { ALL_PERMISSIONS, guildPermissions, PERMISSION } from '../permissions.ts';
import type { Call, Route } from '../router.ts';
import type { Channel, Overwrite } from '../types.ts';
import { permittedChannel } from './access.ts';

const MAX_OVERWRITES = 1000;

/** Permission overwrites of a channel: who sees it, and what they may do. */
export const overwriteRoutes: readonly Route[] = [
  { method: 'PUT', path: '/channels/:channel/permissions/:overwrite', rule: RULE.overwrite, handle: putOverwrite },
  {
    method: 'DELETE',
    path: '/channels/:channel/permissions/:overwrite',
    rule: RULE.overwrite,
    handle: deleteOverwrite,
  },
];

async function putOverwrite(call: Call) {
  const channel = permittedChannel(call, call.params.channel!, PERMISSION.manageRoles);
  const { form } = await call.body();
  form.required('type');
  const overwrite = readOverwrite(form, call.params.overwrite!);
  form.check();
  checkGrant(call, channel, overwrite);
  const others = channel.overwrites.filter((one) => one.id !== overwrite.id);
  replaceOverwrites(call, channel, [...others, overwrite]);
  return { status: 204 };
}

function deleteOverwrite(call: Call) {
  const channel = permittedChannel(call, call.params.channel!, PERMISSION.manageRoles);
  const others = channel.overwrites.filter((one) => one.id !== call.params.overwrite);
  if (others.length === channel.overwrites.length) throw apiError('unknownOverwrite');
  replaceOverwrites(call, channel, others);
  return { status: 204 };
}

function replaceOverwrites({ core }: Call, channel: Channel, overwrites: readonly Overwrite[]): void {
  const current = core.world.channels.get(channel.id);
  if (!current) throw apiError('unknownChannel');
  const changed = { ...current, overwrites };
  core.commit([{ op: 'channel', channel: changed }], () => [
    core.channelEvent('CHANNEL_UPDATE', channel.guildId, channel.id, core.serialize.channel(changed)),
  ]);
}

/** The list of overwrites in the body of a channel. */
export function readOverwrites(form: Form): Overwrite[] | undefined {
  return form.forms('permission_overwrites', { max: MAX_OVERWRITES })?.map((one) => {
    one.required('id');
    return readOverwrite(one, one.snowflake('id') ?? '0');
  });
}

function readOverwrite(form: Form, id: string): Overwrite {
  const type = form.choice('type', [0, 1]) === 1 ? 1 : 0;
  const bits = (name: string) => ((form.bits(name) ?? 0n) & ALL_PERMISSIONS).toString();
  return { id, type, allow: bits('allow'), deny: bits('deny') };
}

/**
 * A bot allows and denies only what it has in the guild or in the channel's category, unless an overwrite of the
 * channel itself gives it MANAGE_ROLES there (docs: resources/channel, edit channel permissions).
 */
export function checkGrant(call: Call, channel: Channel, overwrite: Overwrite): void {
  const { bot } = call;
  const own = channel.overwrites.find((one) => one.type === 1 && one.id === bot.userId);
  if (own && (BigInt(own.allow) & PERMISSION.manageRoles) !== 0n) return;
  checkGrants(call, channel.guildId, channel.parentId, [overwrite]);
}

/** The same for a channel that is about to be made. */
export function checkGrants(
  { core, bot }: Call,
  guildId: string,
  parentId: string | null,
  all: readonly Overwrite[],
): void {
  const inParent = parentId === null ? 0n : core.world.permissions(bot.userId, parentId);
  const held = guildPermissions(core.world.guilds.get(guildId)!, bot.userId) | inParent;
  if (all.some(({ allow, deny }) => ((BigInt(allow) | BigInt(deny)) & ~held) !== 0n))
    throw apiError('missingPermissions');
}
