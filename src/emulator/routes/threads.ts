import { packMessage } from '../change.ts';
import { apiError } from '../errors.ts';
import type { Form } from '../form.ts';
import { RULE } from '../limits.ts';
import { PERMISSION } from '../permissions.ts';
import type { Call, Route } from '../router.ts';
import { isArchived, MESSAGE_FLAG, timestamp } from '../serialize.ts';
import { CHANNEL_TYPE, type Channel } from '../types.ts';
import { existingMessage, may, ownGuild, permittedChannel, visibleChannel } from './access.ts';
import { commitMessage, systemMessage } from './message-create.ts';
import { ARCHIVE_DURATIONS } from './thread-edits.ts';

/** Discord does not publish its cap; about this many have been seen. */
const MAX_ACTIVE_THREADS = 1000;
const MAX_NAME = 100;
const DEFAULT_ARCHIVE_MINUTES = 4320;
const MAX_SLOWMODE_SECONDS = 21_600;
const THREAD_CREATED = 18;
const THREADABLE: readonly number[] = [CHANNEL_TYPE.text, CHANNEL_TYPE.announcement];
const CREATABLE: readonly number[] = [
  CHANNEL_TYPE.announcementThread,
  CHANNEL_TYPE.publicThread,
  CHANNEL_TYPE.privateThread,
];

export const threadRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/channels/:channel/messages/:message/threads',
    rule: RULE.createThread,
    perBot: true,
    handle: startFromMessage,
  },
  { method: 'POST', path: '/channels/:channel/threads', rule: RULE.createThread, perBot: true, handle: startThread },
  { method: 'GET', path: '/guilds/:guild/threads/active', handle: listActive },
  {
    method: 'GET',
    path: '/channels/:channel/threads/archived/public',
    handle: (call) => listArchived(call, CHANNEL_TYPE.publicThread),
  },
  {
    method: 'GET',
    path: '/channels/:channel/threads/archived/private',
    handle: (call) => listArchived(call, CHANNEL_TYPE.privateThread),
  },
  { method: 'PUT', path: '/channels/:channel/thread-members/@me', handle: (call) => setMember(call, true) },
  { method: 'DELETE', path: '/channels/:channel/thread-members/@me', handle: (call) => setMember(call, false) },
];

/** The thread has the id of its message. */
async function startFromMessage(call: Call) {
  const { core } = call;
  const { form } = await call.body();
  const parent = threadParent(call, PERMISSION.createPublicThreads);
  const message = existingMessage(call, parent.id, call.params.message!);
  if (message.threadId !== undefined || core.world.channels.has(message.id)) throw apiError('threadExists');
  const thread = newThread(call, form, parent, message.id, CHANNEL_TYPE.publicThread);
  const marked = { ...message, threadId: thread.id, flags: message.flags | MESSAGE_FLAG.hasThread };
  core.commit(
    [
      { op: 'channel', channel: thread },
      { op: 'message', message: packMessage(marked) },
    ],
    () => [created(call, thread)],
  );
  return { status: 201, body: core.serialize.channel(thread) };
}

/** Without a type the thread is private. A public one is told of in its parent. */
async function startThread(call: Call) {
  const { core } = call;
  const { form } = await call.body();
  const type = form.choice('type', CREATABLE) ?? CHANNEL_TYPE.privateThread;
  form.check();
  const isPrivate = type === CHANNEL_TYPE.privateThread;
  const parent = threadParent(call, isPrivate ? PERMISSION.createPrivateThreads : PERMISSION.createPublicThreads);
  const thread = newThread(call, form, parent, core.ids.next(), type);
  core.commit([{ op: 'channel', channel: thread }], () => [created(call, thread)]);
  if (!isPrivate) {
    commitMessage(call, systemMessage(call, parent.id, { type: THREAD_CREATED, content: thread.name }));
  }
  return { status: 201, body: core.serialize.channel(thread) };
}

function threadParent(call: Call, needed: bigint): Channel {
  const parent = permittedChannel(call, call.params.channel!, needed);
  if (!THREADABLE.includes(parent.type)) throw apiError('wrongChannelType');
  return parent;
}

function newThread(call: Call, form: Form, parent: Channel, id: string, type: number): Channel {
  const { core, bot } = call;
  form.required('name');
  const name = form.string('name', { min: 1, max: MAX_NAME })?.trim() ?? '';
  const autoArchiveDuration = form.choice('auto_archive_duration', ARCHIVE_DURATIONS) ?? DEFAULT_ARCHIVE_MINUTES;
  const rateLimitPerUser = form.integer('rate_limit_per_user', { min: 0, max: MAX_SLOWMODE_SECONDS }) ?? 0;
  const invitable = form.boolean('invitable') ?? true;
  form.check();
  if (activeThreads(call, parent.guildId).length >= MAX_ACTIVE_THREADS) throw apiError('maxThreads');
  const now = timestamp(core.now);
  return {
    id,
    type,
    guildId: parent.guildId,
    name,
    position: 0,
    parentId: parent.id,
    topic: null,
    nsfw: false,
    rateLimitPerUser,
    overwrites: [],
    lastMessageId: null,
    lastPinTimestamp: null,
    thread: {
      ownerId: bot.userId,
      archived: false,
      locked: false,
      autoArchiveDuration,
      archiveTimestamp: now,
      createTimestamp: now,
      invitable,
      memberIds: [bot.userId],
      totalMessageSent: 0,
    },
  };
}

function created({ core }: Call, thread: Channel) {
  const data = { ...core.serialize.channel(thread), newly_created: true };
  return core.channelEvent('THREAD_CREATE', thread.guildId, thread.id, data);
}

function activeThreads({ core }: Call, guildId: string): Channel[] {
  return core.world.channelsOf(guildId).filter((one) => one.thread && !isArchived(one, core.now));
}

function listActive(call: Call) {
  const guild = ownGuild(call, call.params.guild!);
  const visible = activeThreads(call, guild.id).filter((one) => may(call, one.id, PERMISSION.viewChannel));
  return { status: 200, body: threadList(call, visible) };
}

function listArchived(call: Call, type: number) {
  const { core } = call;
  const parent = permittedChannel(call, call.params.channel!, PERMISSION.readMessageHistory);
  const isPrivate = type === CHANNEL_TYPE.privateThread;
  if (isPrivate && !may(call, parent.id, PERMISSION.manageThreads)) throw apiError('missingPermissions');
  const archived = core.world
    .channelsOf(parent.guildId)
    .filter((one) => one.parentId === parent.id && isArchived(one, core.now))
    .filter((one) => (one.type === CHANNEL_TYPE.privateThread) === isPrivate);
  return { status: 200, body: { ...threadList(call, archived), has_more: false } };
}

function threadList({ core, bot }: Call, threads: readonly Channel[]) {
  const joined = threads.filter((one) => one.thread?.memberIds.includes(bot.userId));
  return {
    threads: threads.map((one) => core.serialize.channel(one)),
    members: joined.map((one) => ({
      id: one.id,
      user_id: bot.userId,
      join_timestamp: one.thread!.createTimestamp,
      flags: 0,
    })),
  };
}

function setMember(call: Call, joins: boolean) {
  const { core, bot } = call;
  const channel = visibleChannel(call, call.params.channel!);
  if (!channel.thread) throw apiError('wrongChannelType');
  if (isArchived(channel, core.now)) throw apiError('threadArchived');
  const others = channel.thread.memberIds.filter((id) => id !== bot.userId);
  const memberIds = joins ? [...others, bot.userId] : others;
  const changed = { ...channel, thread: { ...channel.thread, memberIds } };
  core.commit([{ op: 'channel', channel: changed }], () => [
    core.channelEvent('THREAD_UPDATE', channel.guildId, channel.id, core.serialize.channel(changed)),
  ]);
  return { status: 204 };
}
