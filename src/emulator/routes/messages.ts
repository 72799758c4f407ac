import type { Body } from '../body.ts';
import { packMessage } from '../change.ts';
import { readContent } from '../content.ts';
import { apiError, formError } from '../errors.ts';
import { deleteRule, isOldForBulkDelete, isOldForEdits, RULE } from '../limits.ts';
import { PERMISSION } from '../permissions.ts';
import type { Call, Route, RouteReply } from '../router.ts';
import { blankFor, isArchived, MESSAGE_FLAG, seesContent, timestamp } from '../serialize.ts';
import { compareIds } from '../snowflake.ts';
import type { CoreEvent, JsonObject, Message } from '../types.ts';
import { existingMessage, may, messageChannel, permittedChannel } from './access.ts';
import { postMessage } from './message-create.ts';
import { checkComponentsV2, checkNotEmpty, readComponents, readEmbeds, readMentions } from './message-draft.ts';
import { checkFileCount, dropUploads, planUploads, readDescriptions, storeUploads, type Upload } from './uploads.ts';

const MAX_PAGE = 100;
const DEFAULT_PAGE = 50;
const MIN_BULK = 2;
const MAX_BULK = 100;
/** Those that an edit may change. */
const EDIT_FLAGS = MESSAGE_FLAG.suppressEmbeds | MESSAGE_FLAG.componentsV2;
/** Kinds that people and bots write; the rest is made by Discord. */
const WRITTEN: readonly number[] = [0, 19];

export const messageRoutes: readonly Route[] = [
  { method: 'GET', path: '/channels/:channel/messages', rule: RULE.listMessages, handle: listMessages },
  { method: 'POST', path: '/channels/:channel/messages', rule: RULE.createMessage, handle: postMessage },
  { method: 'POST', path: '/channels/:channel/messages/bulk-delete', rule: RULE.bulkDelete, handle: bulkDelete },
  { method: 'GET', path: '/channels/:channel/messages/:message', rule: RULE.getMessage, handle: getMessage },
  { method: 'PATCH', path: '/channels/:channel/messages/:message', rule: RULE.editMessage, handle: editMessage },
  {
    method: 'DELETE',
    path: '/channels/:channel/messages/:message',
    rule: ({ world, now }, { channel, message }) =>
      deleteRule(message!, world.messagesOf(channel!).get(message!) !== undefined, now),
    handle: deleteMessage,
  },
];

/** Always newest first. `after` gives the oldest above it, `before` the newest below it. */
function listMessages(call: Call): RouteReply {
  const { query } = call;
  const channel = messageChannel(call, call.params.channel!);
  const limit = query.integer('limit', { min: 1, max: MAX_PAGE }) ?? DEFAULT_PAGE;
  const cursors = (['before', 'after', 'around'] as const).flatMap((name) => {
    const id = query.snowflake(name);
    return id === undefined ? [] : [{ name, id }];
  });
  query.check();
  if (cursors.length > 1) {
    const message = 'Only one of before, after and around may be given.';
    throw formError(cursors.map(({ name }) => ({ path: [name], code: 'MUTUALLY_EXCLUSIVE', message })));
  }
  if (!may(call, channel.id, PERMISSION.readMessageHistory)) return { status: 200, body: [] };
  const cursor = Object.fromEntries(cursors.map(({ name, id }) => [name, id]));
  const page = call.core.world.messagesOf(channel.id).page({ ...cursor, limit });
  return { status: 200, body: page.map((message) => shown(call, message)) };
}

function getMessage(call: Call): RouteReply {
  const channel = messageChannel(call, call.params.channel!);
  permittedChannel(call, channel.id, PERMISSION.readMessageHistory);
  return { status: 200, body: shown(call, existingMessage(call, channel.id, call.params.message!)) };
}

/** A message as REST shows it to the bot that asks. */
export function shown({ core, bot }: Call, message: Message): JsonObject {
  return blankFor(core.serialize.message(message, bot.userId), bot.userId, seesContent(bot));
}

async function editMessage(call: Call): Promise<RouteReply> {
  const { core } = call;
  const channelId = messageChannel(call, call.params.channel!).id;
  const id = call.params.message!;
  existingMessage(call, channelId, id);
  if (isOldForEdits(id, core.now)) call.limit(RULE.editOldMessage, channelId);
  const body = await call.body();
  const uploads = planUploads(call, body.files, readDescriptions(body.form) ?? []);
  // Refused before anything is written, and looked at again after the files took their time.
  applyEdit(call, channelId, id, body, uploads);
  await storeUploads(call, uploads);
  try {
    const before = existingMessage(call, channelId, id);
    const edited = applyEdit(call, channelId, id, body, uploads);
    const kept = new Set(edited.attachments.map((one) => one.id));
    const orphans = before.attachments.map((one) => one.id).filter((one) => !kept.has(one));
    core.commit([{ op: 'message', message: packMessage(edited) }], () => [updateEvent(call, edited)], orphans);
    return { status: 200, body: shown(call, edited) };
  } catch (error) {
    await dropUploads(call, uploads);
    throw error;
  }
}

/** What a message becomes by an edit: its author changes anything, who manages messages its flags. */
function applyEdit(call: Call, channelId: string, id: string, { form }: Body, uploads: readonly Upload[]): Message {
  const channel = messageChannel(call, channelId);
  const message = existingMessage(call, channelId, id);
  if (isArchived(channel, call.core.now)) throw apiError('threadArchived');
  if (!WRITTEN.includes(message.type)) throw apiError('systemMessage');
  const isOwn = message.authorId === call.bot.userId;
  const isFlagsOnly = !['content', 'embeds', 'components', 'attachments'].some((name) => form.has(name));
  if (!isOwn && !(isFlagsOnly && uploads.length === 0)) throw apiError('notAuthor');
  if (!isOwn && !may(call, channelId, PERMISSION.manageMessages)) throw apiError('missingPermissions');
  if (uploads.length > 0 && !may(call, channelId, PERMISSION.attachFiles)) throw apiError('missingPermissions');
  const content = form.isNull('content') ? '' : (readContent(form) ?? message.content);
  const embeds = form.isNull('embeds') ? [] : (readEmbeds(call, channelId, form) ?? message.embeds);
  const components = form.isNull('components') ? [] : (readComponents(form) ?? message.components);
  const asked = form.integer('flags', { min: 0 }) ?? message.flags;
  // Components V2 stays on once it is.
  const flags = (message.flags & ~EDIT_FLAGS) | (asked & EDIT_FLAGS) | (message.flags & MESSAGE_FLAG.componentsV2);
  if (flags & MESSAGE_FLAG.componentsV2) checkComponentsV2(form, content, embeds);
  const mentions = form.has('content') ? readMentions(call, channelId, form, content) : {};
  const attachments = editedAttachments(form, message, uploads);
  form.check();
  checkFileCount(attachments.length);
  const editedTimestamp = isFlagsOnly && uploads.length === 0 ? message.editedTimestamp : timestamp(call.core.now);
  const edited = { ...message, content, embeds, components, flags, ...mentions, attachments, editedTimestamp };
  checkNotEmpty(edited);
  return edited;
}

/** New files are added. A list of attachments names all that stay. */
function editedAttachments(form: Body['form'], message: Message, uploads: readonly Upload[]) {
  const descriptions = form.isNull('attachments') ? [] : readDescriptions(form);
  const kept = message.attachments.flatMap((attachment) => {
    if (!descriptions) return [attachment];
    const described = descriptions.find((one) => one.id === attachment.id);
    if (!described) return [];
    return [described.description === undefined ? attachment : { ...attachment, description: described.description }];
  });
  return [...kept, ...uploads.map(({ attachment }) => attachment)];
}

export function updateEvent({ core }: Call, message: Message): CoreEvent {
  const guildId = core.world.channels.get(message.channelId)!.guildId;
  return core.channelEvent('MESSAGE_UPDATE', guildId, message.channelId, {
    ...core.serialize.message(message),
    tts: false,
    ...core.serialize.eventFields(message),
  });
}

function deleteMessage(call: Call): RouteReply {
  const { core, bot } = call;
  const channel = messageChannel(call, call.params.channel!);
  const message = existingMessage(call, channel.id, call.params.message!);
  if (message.authorId !== bot.userId && !may(call, channel.id, PERMISSION.manageMessages)) {
    throw apiError('missingPermissions');
  }
  core.commit(
    [{ op: 'message-delete', channelId: channel.id, ids: [message.id] }],
    () => [
      core.channelEvent('MESSAGE_DELETE', channel.guildId, channel.id, {
        id: message.id,
        channel_id: channel.id,
        guild_id: channel.guildId,
      }),
    ],
    message.attachments.map(({ id }) => id),
  );
  return { status: 204 };
}

/** All or nothing: a duplicate or an id older than 14 days refuses the request; ids that are gone are passed over. */
async function bulkDelete(call: Call): Promise<RouteReply> {
  const { core } = call;
  const { form } = await call.body();
  const channel = messageChannel(call, call.params.channel!);
  permittedChannel(call, channel.id, PERMISSION.manageMessages);
  form.required('messages');
  const ids = form.snowflakes('messages') ?? [];
  form.check();
  if (ids.length < MIN_BULK || ids.length > MAX_BULK) throw apiError('bulkDeleteCount');
  for (const [at, id] of ids.entries()) {
    if (ids.indexOf(id) === at) continue;
    form.fail(['messages', String(at)], 'SET_TYPE_ALREADY_CONTAINS_VALUE', 'The set already contains this value');
  }
  form.check();
  if (ids.some((id) => isOldForBulkDelete(id, core.now))) throw apiError('tooOldForBulkDelete');
  const index = core.world.messagesOf(channel.id);
  const found = ids.flatMap((id) => index.get(id) ?? []);
  if (found.length === 0) return { status: 204 };
  const gone = found.map(({ id }) => id).sort(compareIds);
  core.commit(
    [{ op: 'message-delete', channelId: channel.id, ids: gone }],
    () => [
      core.channelEvent('MESSAGE_DELETE_BULK', channel.guildId, channel.id, {
        ids: gone,
        channel_id: channel.id,
        guild_id: channel.guildId,
      }),
    ],
    found.flatMap((message) => message.attachments.map(({ id }) => id)),
  );
  return { status: 204 };
}
