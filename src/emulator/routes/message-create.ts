import type { Body } from '../body.ts';
import { type Change, packMessage, unpackMessage } from '../change.ts';
import { apiError } from '../errors.ts';
import { RULE } from '../limits.ts';
import { PERMISSION } from '../permissions.ts';
import type { Call, RouteReply } from '../router.ts';
import { isArchived, timestamp } from '../serialize.ts';
import { snowflakeTime } from '../snowflake.ts';
import type { Channel, CoreEvent, Message } from '../types.ts';
import { may, messageChannel } from './access.ts';
import { checkNotEmpty, type MessageDraft, readDraft } from './message-draft.ts';
import { dropUploads, planUploads, readDescriptions, storeUploads, type Upload } from './uploads.ts';

/** POST /channels/:id/messages. */
export async function postMessage(call: Call): Promise<RouteReply> {
  const channelId = call.params.channel!;
  call.limit(RULE.channelWrite, channelId);
  writableChannel(call, channelId);
  const body = await call.body();
  const { draft, uploads } = prepare(call, channelId, body);
  const earlier = messageOfNonce(call, draft);
  if (earlier) return created(call, earlier);
  await storeUploads(call, uploads);
  try {
    // Others may have been quicker while the files were written.
    const channel = writableChannel(call, channelId);
    const twin = messageOfNonce(call, draft);
    if (!twin) return created(call, append(call, channel, draft, uploads));
    await dropUploads(call, uploads);
    return created(call, twin);
  } catch (error) {
    await dropUploads(call, uploads);
    throw error;
  }
}

function created({ core, bot }: Call, message: Message): RouteReply {
  const nonce = message.nonce === undefined ? {} : { nonce: message.nonce };
  return { status: 200, body: { ...core.serialize.message(message, bot.userId), ...nonce } };
}

/** A channel or thread that the bot may write to now. */
function writableChannel(call: Call, channelId: string): Channel {
  const channel = messageChannel(call, channelId);
  const needed = channel.thread ? PERMISSION.sendMessagesInThreads : PERMISSION.sendMessages;
  if (!may(call, channelId, needed)) throw apiError('missingPermissions');
  if (channel.thread?.locked && !may(call, channelId, PERMISSION.manageThreads)) throw apiError('threadLocked');
  return channel;
}

function prepare(call: Call, channelId: string, { form, files }: Body): { draft: MessageDraft; uploads: Upload[] } {
  const draft = readDraft(call, channelId, form);
  const descriptions = readDescriptions(form);
  for (const [at, { id }] of (descriptions ?? []).entries()) {
    if (files.some((file) => file.index === id)) continue;
    form.fail(['attachments', String(at), 'id'], 'ATTACHMENT_NOT_FOUND', 'Attachment data not found');
  }
  form.check();
  if (files.length > 0 && !may(call, channelId, PERMISSION.attachFiles)) throw apiError('missingPermissions');
  checkNotEmpty({ ...draft, attachments: files });
  return { draft, uploads: planUploads(call, files, descriptions ?? []) };
}

/**
 * With `enforce_nonce`, the message that this author made with this nonce a moment ago, whatever its channel and body.
 * When it has been deleted meanwhile, Discord says Unknown Message (api-docs#6647).
 */
function messageOfNonce({ core, bot }: Call, draft: MessageDraft): Message | undefined {
  if (!draft.enforceNonce || draft.nonce === undefined) return undefined;
  const earlier = core.world.messageByNonce(bot.userId, draft.nonce);
  if (!earlier || core.now - snowflakeTime(earlier.id) > core.nonceWindowMs) return undefined;
  const current = core.world.messagesOf(earlier.channelId).get(earlier.id);
  if (!current) throw apiError('unknownMessage');
  return current;
}

function append(call: Call, channel: Channel, draft: MessageDraft, uploads: readonly Upload[]): Message {
  const { core, bot } = call;
  const { enforceNonce: _, ...fields } = draft;
  const message: Message = {
    ...fields,
    id: core.ids.next(),
    channelId: channel.id,
    authorId: bot.userId,
    pinned: false,
    editedTimestamp: null,
    attachments: uploads.map(({ attachment }) => attachment),
    reactions: [],
  };
  commitMessage(call, message, channel.thread ? [threadAfterMessage(call, channel)] : []);
  return message;
}

/** A message in a thread counts, wakes the thread when it sleeps, and makes the author a member. */
function threadAfterMessage({ core, bot }: Call, channel: Channel): Change {
  const thread = channel.thread!;
  const woken = isArchived(channel, core.now) ? { archived: false, archiveTimestamp: timestamp(core.now) } : {};
  const memberIds = thread.memberIds.includes(bot.userId) ? thread.memberIds : [...thread.memberIds, bot.userId];
  const totalMessageSent = thread.totalMessageSent + 1;
  return { op: 'channel', channel: { ...channel, thread: { ...thread, ...woken, memberIds, totalMessageSent } } };
}

/** Commits a new message and tells of it; changes of its thread come first. */
export function commitMessage({ core }: Call, message: Message, before: readonly Change[] = []): void {
  const channel = core.world.channels.get(message.channelId)!;
  const wakes = isArchived(channel, core.now);
  core.commit([...before, { op: 'message', message: packMessage(message) }], () => {
    const data = {
      ...core.serialize.message(message),
      ...core.serialize.eventFields(message),
      ...(message.nonce === undefined ? {} : { nonce: message.nonce }),
    };
    const event = core.channelEvent('MESSAGE_CREATE', channel.guildId, channel.id, data);
    const woken: CoreEvent[] = wakes
      ? [
          core.channelEvent(
            'THREAD_UPDATE',
            channel.guildId,
            channel.id,
            core.serialize.channel(core.world.channels.get(channel.id)!),
          ),
        ]
      : [];
    return [...woken, event];
  });
}

/** A message that Discord writes in the name of who caused it. */
export function systemMessage(
  { core, bot }: Call,
  channelId: string,
  said: Pick<Message, 'type' | 'content' | 'reference'>,
): Message {
  return unpackMessage({ ...said, id: core.ids.next(), channelId, authorId: bot.userId });
}
