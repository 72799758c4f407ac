/**
 * What the emulator's parts show each other. Names and shapes of JSON objects are Discord's (API v10); ids are
 * snowflakes in decimal, times ISO 8601, bitsets decimal strings.
 */

export type Json = string | number | boolean | null | undefined | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

/** One HTTP request, as REST, CDN and `/_emulator/*` all see it. */
export interface ApiRequest {
  readonly method: string;
  /** With the query string: `/api/v10/channels/1/messages?limit=100`. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** The client's address, which the invalid-request ban is kept for. */
  readonly remote?: string;
}

export interface ApiReply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Rejects a `handle` whose work may be done but whose reply is lost; over HTTP the socket is destroyed instead. */
export class LostReplyError extends Error {
  override readonly name = 'LostReplyError';
  readonly code = 'ECONNRESET';
}

export type LimitMode = 'discord' | 'off';

export interface Overwrite extends JsonObject {
  readonly id: string;
  /** 0 is a role, 1 a member. */
  readonly type: 0 | 1;
  readonly allow: string;
  readonly deny: string;
}

export const CHANNEL_TYPE = {
  text: 0,
  voice: 2,
  category: 4,
  announcement: 5,
  announcementThread: 10,
  publicThread: 11,
  privateThread: 12,
  stage: 13,
  forum: 15,
  media: 16,
} as const;

/** Kept state of a channel or thread, close to what Discord sends; `serializeChannel` makes the JSON of it. */
export interface Channel {
  readonly id: string;
  readonly type: number;
  readonly guildId: string;
  readonly name: string;
  readonly position: number;
  readonly parentId: string | null;
  readonly topic: string | null;
  readonly nsfw: boolean;
  readonly rateLimitPerUser: number;
  readonly overwrites: readonly Overwrite[];
  readonly lastMessageId: string | null;
  readonly lastPinTimestamp: string | null;
  /** Present on threads alone. */
  readonly thread?: Thread;
}

export interface Thread {
  readonly ownerId: string;
  readonly archived: boolean;
  readonly locked: boolean;
  /** Minutes: 60, 1440, 4320 or 10080. */
  readonly autoArchiveDuration: number;
  readonly archiveTimestamp: string;
  readonly createTimestamp: string;
  readonly invitable: boolean;
  readonly memberIds: readonly string[];
  /** Ever sent, deletions not taken off. */
  readonly totalMessageSent: number;
}

export interface Attachment {
  readonly id: string;
  readonly filename: string;
  readonly title?: string;
  readonly description?: string;
  readonly size: number;
  readonly contentType?: string;
}

export interface Reaction {
  readonly emoji: string;
  readonly userIds: readonly string[];
}

/** Kept state of a message; `serializeMessage` makes the JSON of it. */
export interface Message {
  readonly id: string;
  readonly channelId: string;
  readonly authorId: string;
  readonly type: number;
  readonly content: string;
  readonly flags: number;
  readonly tts: boolean;
  readonly pinned: boolean;
  readonly editedTimestamp: string | null;
  readonly nonce?: string | number;
  readonly attachments: readonly Attachment[];
  readonly embeds: readonly JsonObject[];
  readonly components: readonly JsonObject[];
  /** User ids; a mentioned bot sees the content without MESSAGE_CONTENT. */
  readonly mentions: readonly string[];
  readonly mentionEveryone: boolean;
  readonly reactions: readonly Reaction[];
  readonly reference?: { readonly messageId: string; readonly channelId: string };
  readonly threadId?: string;
}

export interface Role {
  readonly id: string;
  readonly name: string;
  readonly permissions: string;
  readonly position: number;
  readonly managed: boolean;
  /** The bot that an integration's own role belongs to. */
  readonly botId?: string;
}

export interface Member {
  readonly userId: string;
  readonly roleIds: readonly string[];
  readonly joinedAt: string;
}

export interface Guild {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  /** The first is `@everyone`, whose id is the guild's. */
  readonly roles: readonly Role[];
  readonly members: readonly Member[];
}

/** A bot user together with its application. */
export interface Bot {
  readonly userId: string;
  readonly applicationId: string;
  readonly username: string;
  readonly token: string;
  /** `GATEWAY_MESSAGE_CONTENT` is 1<<18, its form for bots under review limits 1<<19. */
  readonly applicationFlags: number;
}

export interface User {
  readonly id: string;
  readonly username: string;
  readonly bot: boolean;
}

export type EventType =
  | 'MESSAGE_CREATE'
  | 'MESSAGE_UPDATE'
  | 'MESSAGE_DELETE'
  | 'MESSAGE_DELETE_BULK'
  | 'MESSAGE_REACTION_ADD'
  | 'MESSAGE_REACTION_REMOVE'
  | 'CHANNEL_CREATE'
  | 'CHANNEL_UPDATE'
  | 'CHANNEL_DELETE'
  | 'CHANNEL_PINS_UPDATE'
  | 'THREAD_CREATE'
  | 'THREAD_UPDATE'
  | 'THREAD_DELETE'
  | 'TYPING_START'
  | 'GUILD_CREATE'
  | 'GUILD_DELETE'
  | 'GUILD_ROLE_UPDATE'
  | 'GUILD_MEMBER_UPDATE';

/** Something happened and is durable. Events come in the order in which they were done. */
export interface CoreEvent {
  readonly type: EventType;
  readonly guildId: string;
  /** Absent on guild-wide events. */
  readonly channelId?: string;
  /** User ids of the bots that may see it: computed before a deletion, when the permissions were still there. */
  readonly viewers: readonly string[];
  /** The `d` of a gateway dispatch for a viewer who sees all; messages go through `blankFor` for others. */
  readonly data: JsonObject;
}

export interface EventSource {
  /** Returns what ends the subscription. */
  subscribe(listener: (event: CoreEvent) => void): () => void;
}

/** Where a page of messages begins; `around` includes its id, the others leave it out. */
export interface PageQuery {
  readonly before?: string;
  readonly after?: string;
  readonly around?: string;
  readonly limit: number;
}

/** A part that answers paths of its own (the web page); undefined passes the request on. */
export type Mount = (request: ApiRequest) => Promise<ApiReply | undefined>;

/** Gateway faults that are due. The gateway asks once for each thing that it is about to do. */
export type GatewayFault =
  | 'gateway-drop'
  | 'gateway-repeat'
  | 'gateway-reorder'
  | 'gateway-disconnect'
  | 'gateway-reconnect'
  | 'gateway-invalid';

/** What the gateway and the page stand on. `Emulator` implements it. */
export interface EmulatorCore {
  readonly events: EventSource;
  /** Base of CDN links and, with `ws:`, of the gateway; `http.ts` sets it when it knows its port. */
  publicUrl: string;

  handle(request: ApiRequest): Promise<ApiReply>;
  /** Adds a part that is asked before the routes of the core. */
  mount(part: Mount): void;

  botByToken(token: string): Bot | undefined;
  bots(): readonly Bot[];
  guilds(): readonly Guild[];
  guildsOf(botId: string): readonly Guild[];
  /** Every channel of a guild that is not a thread, by position. */
  channels(guildId: string): readonly Channel[];
  threads(guildId: string): readonly Channel[];
  channel(id: string): Channel | undefined;
  /** Newest first. */
  messages(channelId: string, query: PageQuery): readonly Message[];
  message(channelId: string, id: string): Message | undefined;
  messageCount(channelId: string): number;
  /** Channel permission bits of a bot, 0 when it may not view the channel. */
  permissions(botId: string, channelId: string): bigint;

  /** `user` objects of READY, authors and members. */
  serializeUser(userId: string): JsonObject;
  serializeApplication(botId: string): JsonObject;
  serializeChannel(channel: Channel): JsonObject;
  /** Full content, with links signed for now. */
  serializeMessage(message: Message): JsonObject;
  /** The `d` of GUILD_CREATE for one bot: its visible channels and active threads. */
  serializeGuildCreate(guildId: string, botId: string): JsonObject;
  /** Empties content, embeds, attachments and components unless the viewer wrote it, is mentioned, or may see it. */
  blankFor(message: JsonObject, viewerId: string, seesContent: boolean): JsonObject;

  /** Takes one due gateway fault of a kind, and counts it as used. */
  takeGatewayFault(kind: GatewayFault): boolean;
}
