import { readContent } from '../content.ts';
import { apiError } from '../errors.ts';
import { codePoints, type Form } from '../form.ts';
import { PERMISSION } from '../permissions.ts';
import type { Call } from '../router.ts';
import { MESSAGE_FLAG } from '../serialize.ts';
import type { JsonObject, Message } from '../types.ts';
import { may } from './access.ts';

const MAX_NONCE = 25;
const MAX_EMBEDS = 10;
const MAX_EMBED_CHARACTERS = 6000;
const MAX_EMBED_DESCRIPTION = 4096;
const MAX_EMBED_FIELDS = 25;
const MAX_EMBED_FIELD_VALUE = 1024;
const MAX_COMPONENTS = 40;
/** Those that a bot may set on create; Discord ignores others. */
const CREATE_FLAGS = MESSAGE_FLAG.suppressEmbeds | MESSAGE_FLAG.suppressNotifications | MESSAGE_FLAG.componentsV2;

/** What a create says besides its files. */
export interface MessageDraft
  extends Pick<
    Message,
    'content' | 'embeds' | 'components' | 'flags' | 'tts' | 'mentions' | 'mentionEveryone' | 'type'
  > {
  readonly nonce?: string | number;
  readonly enforceNonce: boolean;
  readonly reference?: NonNullable<Message['reference']>;
}

/** Reads the fields of a create; the caller checks the form. */
export function readDraft(call: Call, channelId: string, form: Form): MessageDraft {
  const content = readContent(form) ?? '';
  const nonce = readNonce(form);
  const reference = readReference(call, channelId, form);
  const flags = (form.integer('flags', { min: 0 }) ?? 0) & CREATE_FLAGS;
  const embeds = readEmbeds(call, channelId, form) ?? [];
  const components = readComponents(form) ?? [];
  if (flags & MESSAGE_FLAG.componentsV2) checkComponentsV2(form, content, embeds);
  return {
    type: reference ? 19 : 0,
    content,
    embeds,
    components,
    flags,
    tts: form.boolean('tts') ?? false,
    ...readMentions(call, channelId, form, content),
    ...(nonce === undefined ? {} : { nonce }),
    enforceNonce: form.boolean('enforce_nonce') ?? false,
    ...(reference ? { reference } : {}),
  };
}

export function checkComponentsV2(form: Form, content: string, embeds: readonly JsonObject[]): void {
  const code = 'MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2';
  if (content !== '') form.fail('content', code, 'The content field cannot be used with the components v2 flag');
  if (embeds.length > 0) form.fail('embeds', code, 'The embeds field cannot be used with the components v2 flag');
}

export function readComponents(form: Form): JsonObject[] | undefined {
  return form.forms('components', { max: MAX_COMPONENTS })?.map((one) => one.fields);
}

function readNonce(form: Form): string | number | undefined {
  const value = form.raw('nonce');
  if (value === undefined || (typeof value === 'number' && Number.isSafeInteger(value))) return value;
  if (typeof value !== 'string') {
    return form.fail('nonce', 'NONCE_TYPE_INVALID', 'Nonce must be a string or an integer.');
  }
  if (codePoints(value) <= MAX_NONCE) return value;
  return form.fail('nonce', 'BASE_TYPE_MAX_LENGTH', `Must be ${MAX_NONCE} or fewer in length.`);
}

function readReference(call: Call, channelId: string, form: Form): Message['reference'] | undefined {
  const reference = form.form('message_reference');
  if (!reference) return undefined;
  reference.choice('type', [0]);
  const messageId = reference.snowflake('message_id');
  const mustExist = reference.boolean('fail_if_not_exists') ?? true;
  if (messageId === undefined) return undefined;
  if (call.core.world.messagesOf(channelId).get(messageId)) return { messageId, channelId };
  if (mustExist) form.fail('message_reference', 'MESSAGE_REFERENCE_UNKNOWN_MESSAGE', 'Unknown message');
  return undefined;
}

/** Embeds within their limits; without EMBED_LINKS they are dropped in silence. */
export function readEmbeds(call: Call, channelId: string, form: Form): JsonObject[] | undefined {
  const embeds = form.forms('embeds', { max: MAX_EMBEDS });
  let total = 0;
  const text = (one: Form, name: string, max: number) => {
    total += codePoints(one.string(name, { max })?.trim() ?? '');
  };
  for (const embed of embeds ?? []) {
    text(embed, 'title', 256);
    text(embed, 'description', MAX_EMBED_DESCRIPTION);
    const footer = embed.form('footer');
    if (footer) text(footer, 'text', 2048);
    const author = embed.form('author');
    if (author) text(author, 'name', 256);
    for (const field of embed.forms('fields', { max: MAX_EMBED_FIELDS }) ?? []) {
      text(field, 'name', 256);
      text(field, 'value', MAX_EMBED_FIELD_VALUE);
    }
  }
  if (total > MAX_EMBED_CHARACTERS) {
    form.fail('embeds', 'MAX_EMBED_SIZE_EXCEEDED', `Embed size exceeds maximum size of ${MAX_EMBED_CHARACTERS}`);
  }
  if (!may(call, channelId, PERMISSION.embedLinks)) return embeds && [];
  return embeds?.map((embed) => ({ type: 'rich', ...embed.fields }));
}

/** Whom a text mentions. Without `allowed_mentions` users and everyone are parsed, on an edit again. */
export function readMentions(
  call: Call,
  channelId: string,
  form: Form,
  content: string,
): Pick<Message, 'mentions' | 'mentionEveryone'> {
  const allowed = form.form('allowed_mentions');
  const parse = allowed ? (allowed.strings('parse') ?? []) : ['users', 'roles', 'everyone'];
  const users = allowed?.snowflakes('users') ?? [];
  const named = [...content.matchAll(/<@!?(\d{1,20})>/g)].map((match) => match[1]!);
  const mentions = [...new Set(named)].filter(
    (id) => call.core.world.users.has(id) && (parse.includes('users') || users.includes(id)),
  );
  const mentionEveryone =
    parse.includes('everyone') && /@(everyone|here)/.test(content) && may(call, channelId, PERMISSION.mentionEveryone);
  return { mentions, mentionEveryone };
}

/** Discord wants something to show. */
export function checkNotEmpty(message: {
  readonly content: string;
  readonly embeds: readonly unknown[];
  readonly components: readonly unknown[];
  readonly attachments: readonly unknown[];
}): void {
  const { content, embeds, components, attachments } = message;
  if (content === '' && embeds.length + components.length + attachments.length === 0) throw apiError('emptyMessage');
}
