import { type ChannelId, type ChannelInfo, type Message, type MessageId, StoreError } from '../store/index.ts';
import type { Overwrite } from './permissions.ts';

/** Channel types (docs: resources/channel.mdx). */
export const ChannelType = { text: 0, category: 4 } as const;

type Json = Readonly<Record<string, unknown>>;

/** Discord's JSON to the store's types. Whatever has not the documented shape is refused, never guessed at. */
export function toMessage(json: unknown): Message {
  const message = object(json, 'message');
  return {
    id: snowflake(message.id, 'id'),
    content: text(message, 'content'),
    attachments: list(message.attachments, 'attachments').map((item) => {
      const attachment = object(item, 'attachment');
      return { name: text(attachment, 'filename'), size: count(attachment, 'size'), url: text(attachment, 'url') };
    }),
    authorId: text(object(message.author, 'author'), 'id'),
  };
}

/** Whether a message says that it stands in another channel. */
export function isElsewhere(json: unknown, channel: ChannelId): boolean {
  const { channel_id: id } = object(json, 'message');
  return typeof id === 'string' && id !== channel;
}

/** Newest first, each id once: a page that Discord builds while messages arrive may show one twice. */
export function toPage(json: unknown): Message[] {
  const byId = new Map<MessageId, Message>();
  for (const item of list(json, 'page')) {
    const message = toMessage(item);
    byId.set(message.id, message);
  }
  return [...byId.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
}

export function toChannel(json: unknown): ChannelInfo {
  const channel = object(json, 'channel');
  const kind =
    channel.type === ChannelType.category ? 'category' : channel.type === ChannelType.text ? 'text' : 'other';
  return {
    id: String(snowflake(channel.id, 'id')),
    name: text(channel, 'name'),
    kind,
    parentId: typeof channel.parent_id === 'string' ? channel.parent_id : undefined,
    topic: typeof channel.topic === 'string' ? channel.topic : '',
  };
}

/** Of a channel; none where it says nothing of them. */
export function toOverwrites(json: unknown): Overwrite[] {
  const { permission_overwrites: overwrites = [] } = object(json, 'channel');
  return list(overwrites, 'permission_overwrites').map((item) => {
    const overwrite = object(item, 'overwrite');
    const bits = (field: string) => decimal(overwrite[field], field);
    return { id: text(overwrite, 'id'), type: count(overwrite, 'type'), allow: bits('allow'), deny: bits('deny') };
  });
}

export function toChannels(json: unknown): ChannelInfo[] {
  return list(json, 'channels').map(toChannel);
}

export function object(json: unknown, what: string): Json {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Json;
  throw misshapen(what);
}

export function list(json: unknown, what: string): readonly unknown[] {
  if (Array.isArray(json)) return json;
  throw misshapen(what);
}

export function text(json: Json, field: string): string {
  const value = json[field];
  if (typeof value === 'string') return value;
  throw misshapen(field);
}

function count(json: Json, field: string): number {
  const value = json[field];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw misshapen(field);
}

/** `what` names it in the error. */
export function snowflake(value: unknown, what: string): bigint {
  return decimal(value, what);
}

/** A snowflake or a bitset: 64 bits in decimal. */
function decimal(value: unknown, what: string): bigint {
  if (typeof value === 'string' && /^\d{1,20}$/.test(value)) return BigInt(value);
  throw misshapen(what);
}

function misshapen(what: string): StoreError {
  return new StoreError('refused', `Discord's answer is not what its documentation says: ${what}`);
}
