import { apiError } from '../errors.ts';
import type { Form } from '../form.ts';
import { RULE } from '../limits.ts';
import { PERMISSION } from '../permissions.ts';
import type { Call, RouteReply } from '../router.ts';
import { isArchived, timestamp } from '../serialize.ts';
import type { Channel } from '../types.ts';
import { blobsOf, may, permittedChannel, visibleChannel } from './access.ts';

export const ARCHIVE_DURATIONS: readonly number[] = [60, 1440, 4320, 10080];
const MAX_NAME = 100;
const MAX_SLOWMODE_SECONDS = 21_600;

/** PATCH /channels/:id of a thread. While it sleeps only waking it changes anything. */
export function editThread(call: Call, form: Form): RouteReply {
  const { core, bot } = call;
  const channel = visibleChannel(call, call.params.channel!);
  const thread = channel.thread!;
  const name = form.string('name', { min: 1, max: MAX_NAME })?.trim();
  const archived = form.boolean('archived');
  const locked = form.boolean('locked');
  const invitable = form.boolean('invitable');
  const autoArchiveDuration = form.choice('auto_archive_duration', ARCHIVE_DURATIONS);
  const rateLimitPerUser = form.integer('rate_limit_per_user', { min: 0, max: MAX_SLOWMODE_SECONDS });
  form.check();
  const manages = may(call, channel.id, PERMISSION.manageThreads);
  const sleeps = isArchived(channel, core.now);
  if (sleeps && archived !== false) throw apiError('threadArchived');
  if (!manages && (locked !== undefined || thread.locked)) throw apiError('missingPermissions');
  if (!manages && thread.ownerId !== bot.userId && !wakesOnly(form, archived)) throw apiError('missingPermissions');
  if (name !== undefined) call.limit(RULE.nameOrTopic, channel.id);
  const edited: Channel = {
    ...channel,
    ...(name === undefined ? {} : { name }),
    ...(rateLimitPerUser === undefined ? {} : { rateLimitPerUser }),
    thread: {
      ...thread,
      ...(archived === undefined ? {} : { archived, archiveTimestamp: timestamp(core.now) }),
      ...(locked === undefined ? {} : { locked }),
      ...(invitable === undefined ? {} : { invitable }),
      ...(autoArchiveDuration === undefined ? {} : { autoArchiveDuration }),
    },
  };
  core.commit([{ op: 'channel', channel: edited }], () => [
    core.channelEvent('THREAD_UPDATE', edited.guildId, edited.id, core.serialize.channel(edited)),
  ]);
  return { status: 200, body: core.serialize.channel(edited) };
}

/** Anyone who may write in a thread that is not locked may wake it. */
function wakesOnly(form: Form, archived: boolean | undefined): boolean {
  const others = ['name', 'invitable', 'auto_archive_duration', 'rate_limit_per_user'];
  return archived === false && !others.some((name) => form.has(name));
}

/** DELETE /channels/:id of a thread. */
export function deleteThread(call: Call): RouteReply {
  const { core } = call;
  const channel = permittedChannel(call, call.params.channel!, PERMISSION.manageThreads);
  const body = core.serialize.channel(channel);
  const data = { id: channel.id, guild_id: channel.guildId, parent_id: channel.parentId, type: channel.type };
  const gone = core.channelEvent('THREAD_DELETE', channel.guildId, channel.id, data);
  core.commit([{ op: 'channel-delete', id: channel.id }], () => [gone], blobsOf(call, channel.id));
  return { status: 200, body };
}
