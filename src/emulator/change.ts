import type { Bot, Channel, Guild, Message, User } from './types.ts';

/** One step of the world, as the journal keeps it. The world changes by these alone. */
export type Change =
  /** A new world: what links are signed with (hex), and its first guild and bot. */
  | { readonly op: 'world'; readonly secret: string; readonly guildId: string; readonly botUserId: string }
  | { readonly op: 'user'; readonly user: User }
  /** Added, or in the place of the one with this id; so for the rest. */
  | { readonly op: 'bot'; readonly bot: Bot }
  | { readonly op: 'guild'; readonly guild: Guild }
  | { readonly op: 'guild-delete'; readonly id: string }
  | { readonly op: 'channel'; readonly channel: Channel }
  | { readonly op: 'channel-delete'; readonly id: string }
  | { readonly op: 'message'; readonly message: PackedMessage }
  | { readonly op: 'message-delete'; readonly channelId: string; readonly ids: readonly string[] }
  /** No later id is at or below this one, though what had it may be gone. */
  | { readonly op: 'last-id'; readonly id: string };

/** What most messages have in common, left out on disk. */
const PLAIN = {
  type: 0,
  content: '',
  flags: 0,
  tts: false,
  pinned: false,
  editedTimestamp: null,
  attachments: [],
  embeds: [],
  components: [],
  mentions: [],
  mentionEveryone: false,
  reactions: [],
} as const satisfies Partial<Message>;

type Plain = keyof typeof PLAIN;
export type PackedMessage = Omit<Message, Plain> & Partial<Pick<Message, Plain>>;

export function packMessage(message: Message): PackedMessage {
  const packed: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(message)) {
    const plain: unknown = PLAIN[name as Plain];
    if (value === plain || (Array.isArray(value) && value.length === 0)) continue;
    packed[name] = value;
  }
  return packed as unknown as PackedMessage;
}

/** Messages share the values that they have in common, which keeps a long channel small in memory. */
export function unpackMessage(packed: PackedMessage): Message {
  return { ...PLAIN, ...packed };
}
