import { cleanChannelName } from '../content.ts';
import { apiError } from '../errors.ts';
import type { Form } from '../form.ts';
import { RULE } from '../limits.ts';
import { PERMISSION } from '../permissions.ts';
import type { Call, Route } from '../router.ts';
import { CHANNEL_TYPE, type Channel, type CoreEvent } from '../types.ts';
import { blobsOf, ownGuild, permittedChannel, permittedGuild, visibleChannel } from './access.ts';
import { checkGrant, checkGrants, readOverwrites } from './overwrites.ts';
import { deleteThread, editThread } from './thread-edits.ts';

const MAX_CHANNELS = 500;
const MAX_CATEGORIES = 50;
const MAX_CATEGORY_CHANNELS = 50;
const MAX_NAME = 100;
const MAX_TOPIC = 1024;
const MAX_FORUM_TOPIC = 4096;
const MAX_SLOWMODE_SECONDS = 21_600;
const CREATABLE: readonly number[] = [
  CHANNEL_TYPE.text,
  CHANNEL_TYPE.voice,
  CHANNEL_TYPE.category,
  CHANNEL_TYPE.announcement,
  CHANNEL_TYPE.stage,
  CHANNEL_TYPE.forum,
  CHANNEL_TYPE.media,
];

export const channelRoutes: readonly Route[] = [
  { method: 'GET', path: '/guilds/:guild/channels', handle: listChannels },
  { method: 'POST', path: '/guilds/:guild/channels', handle: createChannel },
  { method: 'PATCH', path: '/guilds/:guild/channels', handle: moveChannels },
  { method: 'GET', path: '/channels/:channel', rule: RULE.getChannel, perBot: true, handle: getChannel },
  { method: 'PATCH', path: '/channels/:channel', rule: RULE.editChannel, handle: editChannel },
  { method: 'DELETE', path: '/channels/:channel', handle: deleteChannel },
  { method: 'POST', path: '/channels/:channel/typing', handle: startTyping },
];

function listChannels(call: Call) {
  const guild = ownGuild(call, call.params.guild!);
  const channels = call.core.world.channelsOf(guild.id).filter((channel) => !channel.thread);
  return { status: 200, body: channels.map((channel) => call.core.serialize.channel(channel)) };
}

async function createChannel(call: Call) {
  const { core } = call;
  const { form } = await call.body();
  const guild = permittedGuild(call, call.params.guild!, PERMISSION.manageChannels);
  form.required('name');
  const type = form.choice('type', CREATABLE) ?? CHANNEL_TYPE.text;
  const parentId = readParent(call, form, guild.id, type) ?? null;
  const overwrites = readOverwrites(form);
  const fields = readFields(form, type);
  form.check();
  checkGrants(call, guild.id, parentId, overwrites ?? []);
  const siblings = core.world.channelsOf(guild.id).filter((one) => !one.thread);
  if (siblings.length >= MAX_CHANNELS) throw apiError('maxChannels');
  const sameKind = siblings.filter((one) => (one.type === CHANNEL_TYPE.category) === (type === CHANNEL_TYPE.category));
  if (type === CHANNEL_TYPE.category && sameKind.length >= MAX_CATEGORIES) throw apiError('maxCategories');
  const parent = parentId === null ? undefined : core.world.channels.get(parentId);
  const channel: Channel = {
    name: '',
    topic: null,
    nsfw: false,
    rateLimitPerUser: 0,
    position: sameKind.length,
    ...fields,
    id: core.ids.next(),
    type,
    guildId: guild.id,
    parentId,
    // A channel made in a category without overwrites of its own has those of the category.
    overwrites: overwrites ?? parent?.overwrites ?? [],
    lastMessageId: null,
    lastPinTimestamp: null,
  };
  core.commit([{ op: 'channel', channel }], () => [channelEvent(call, 'CHANNEL_CREATE', channel)]);
  return { status: 201, body: core.serialize.channel(channel) };
}

function getChannel(call: Call) {
  return { status: 200, body: call.core.serialize.channel(visibleChannel(call, call.params.channel!)) };
}

async function editChannel(call: Call) {
  const { core } = call;
  const id = call.params.channel!;
  const { form } = await call.body();
  if (visibleChannel(call, id).thread) return editThread(call, form);
  const channel = permittedChannel(call, id, PERMISSION.manageChannels);
  const overwrites = readOverwrites(form);
  const parentId = readParent(call, form, channel.guildId, channel.type, channel);
  const fields = readFields(form, channel.type);
  form.check();
  if (overwrites) {
    permittedChannel(call, id, PERMISSION.manageRoles);
    for (const overwrite of changedOverwrites(channel, overwrites)) checkGrant(call, channel, overwrite);
  }
  if (form.has('name') || form.has('topic')) call.limit(RULE.nameOrTopic, id);
  const edited: Channel = {
    ...channel,
    ...fields,
    ...(overwrites ? { overwrites } : {}),
    ...(parentId === undefined ? {} : { parentId }),
  };
  core.commit([{ op: 'channel', channel: edited }], () => [channelEvent(call, 'CHANNEL_UPDATE', edited)]);
  return { status: 200, body: core.serialize.channel(edited) };
}

function changedOverwrites(channel: Channel, wanted: NonNullable<ReturnType<typeof readOverwrites>>) {
  const isSame = (a: (typeof wanted)[number]) =>
    channel.overwrites.some((b) => a.id === b.id && a.type === b.type && a.allow === b.allow && a.deny === b.deny);
  return wanted.filter((one) => !isSame(one));
}

function deleteChannel(call: Call) {
  const { core } = call;
  const id = call.params.channel!;
  if (visibleChannel(call, id).thread) return deleteThread(call);
  const channel = permittedChannel(call, id, PERMISSION.manageChannels);
  const body = core.serialize.channel(channel);
  const gone: CoreEvent = channelEvent(call, 'CHANNEL_DELETE', channel);
  const dependants = core.world.channelsOf(channel.guildId).filter((one) => one.parentId === id);
  const threads = dependants.filter((one) => one.thread);
  const orphaned = dependants.filter((one) => !one.thread).map((child) => ({ ...child, parentId: null }));
  const blobs = [channel, ...threads].flatMap((one) => blobsOf(call, one.id));
  core.commit(
    [
      ...orphaned.map((child) => ({ op: 'channel' as const, channel: child })),
      ...threads.map((thread) => ({ op: 'channel-delete' as const, id: thread.id })),
      { op: 'channel-delete', id },
    ],
    () => [gone, ...orphaned.map((child) => channelEvent(call, 'CHANNEL_UPDATE', child))],
    blobs,
  );
  return { status: 200, body };
}

/** Several positions at once; at most one channel may get another parent (40009). */
async function moveChannels(call: Call) {
  const { core } = call;
  const moves = await call.list();
  const guild = permittedGuild(call, call.params.guild!, PERMISSION.manageChannels);
  const moved: Channel[] = [];
  for (const form of moves) {
    form.required('id');
    const channel = core.world.channels.get(form.snowflake('id') ?? '');
    if (channel?.guildId !== guild.id) throw apiError('unknownChannel');
    const position = form.integer('position', { min: 0 }) ?? channel.position;
    const parentId = readParent(call, form, guild.id, channel.type, channel);
    form.check();
    const parent = parentId ? core.world.channels.get(parentId) : undefined;
    const locked = form.boolean('lock_permissions') && parent ? { overwrites: parent.overwrites } : {};
    moved.push({ ...channel, position, ...locked, ...(parentId === undefined ? {} : { parentId }) });
  }
  const reparented = moved.filter((one) => one.parentId !== core.world.channels.get(one.id)?.parentId);
  if (reparented.length > 1) throw apiError('oneParentChange');
  core.commit(
    moved.map((channel) => ({ op: 'channel', channel })),
    () => moved.map((channel) => channelEvent(call, 'CHANNEL_UPDATE', channel)),
  );
  return { status: 204 };
}

function startTyping(call: Call) {
  const { core, bot } = call;
  const channel = permittedChannel(call, call.params.channel!, PERMISSION.sendMessages);
  core.publish(
    core.channelEvent('TYPING_START', channel.guildId, channel.id, {
      channel_id: channel.id,
      guild_id: channel.guildId,
      user_id: bot.userId,
      timestamp: Math.floor(core.now / 1000),
    }),
  );
  return { status: 204 };
}

/** The fields that a create and an edit share; what is absent is left out. */
function readFields(form: Form, type: number): Partial<Channel> {
  const isForum = type === CHANNEL_TYPE.forum || type === CHANNEL_TYPE.media;
  const name = readName(form, type);
  const topic = form.string('topic', { max: isForum ? MAX_FORUM_TOPIC : MAX_TOPIC });
  const nsfw = form.boolean('nsfw');
  const position = form.integer('position', { min: 0 });
  const rateLimitPerUser = form.integer('rate_limit_per_user', { min: 0, max: MAX_SLOWMODE_SECONDS });
  return {
    ...(name === undefined ? {} : { name }),
    ...(topic === undefined && !form.isNull('topic') ? {} : { topic: topic?.trim() || null }),
    ...(nsfw === undefined ? {} : { nsfw }),
    ...(position === undefined ? {} : { position }),
    ...(rateLimitPerUser === undefined ? {} : { rateLimitPerUser }),
  };
}

function readName(form: Form, type: number): string | undefined {
  const name = form.string('name', { min: 1, max: MAX_NAME });
  if (name === undefined) return undefined;
  const isSpoken = type === CHANNEL_TYPE.category || type === CHANNEL_TYPE.voice || type === CHANNEL_TYPE.stage;
  const clean = isSpoken ? name.trim() : cleanChannelName(name);
  return clean === '' ? form.fail('name', 'BASE_TYPE_REQUIRED', 'This field is required') : clean;
}

/** A category of the same guild with room; null takes a channel out of its category. */
function readParent(call: Call, form: Form, guildId: string, type: number, child?: Channel): string | null | undefined {
  if (form.isNull('parent_id')) return null;
  const id = form.snowflake('parent_id');
  if (id === undefined) return undefined;
  const parent = call.core.world.channels.get(id);
  if (parent?.guildId !== guildId) return form.fail('parent_id', 'CHANNEL_PARENT_INVALID', 'Category does not exist');
  if (parent.type !== CHANNEL_TYPE.category || type === CHANNEL_TYPE.category) {
    return form.fail('parent_id', 'CHANNEL_PARENT_INVALID_TYPE', 'Not a category');
  }
  const children = call.core.world.channelsOf(guildId).filter((one) => one.parentId === id && one.id !== child?.id);
  if (children.length < MAX_CATEGORY_CHANNELS) return id;
  const message = `Maximum number of channels in category reached (${MAX_CATEGORY_CHANNELS})`;
  return form.fail('parent_id', 'CHANNEL_PARENT_MAX_CHANNELS', message);
}

function channelEvent({ core }: Call, type: CoreEvent['type'], channel: Channel): CoreEvent {
  return core.channelEvent(type, channel.guildId, channel.id, core.serialize.channel(channel));
}
