/** A snowflake: message ids grow with time, but ids of messages posted together need not follow commit order. */
export type MessageId = bigint;
/** A snowflake in decimal, opaque above `discord/`. */
export type ChannelId = string;

/** What to post. `content` is printable ASCII of at most 2000 characters. */
export interface Draft {
  readonly content: string;
  readonly files: readonly DraftFile[];
  /** At most 25 characters, never used for other content. */
  readonly nonce: string;
}

export interface DraftFile {
  /** `[a-z0-9.]` only: Discord rewrites other names. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface Message {
  readonly id: MessageId;
  /** Empty for a message of another bot when this one lacks MESSAGE_CONTENT: a blank, not a deletion. */
  readonly content: string;
  readonly attachments: readonly Attachment[];
  readonly authorId: string;
}

export interface Attachment {
  readonly name: string;
  readonly size: number;
  /** Signed, and good for less than a day. */
  readonly url: string;
}

/** Who goes first when requests wait for the same limit. A reserved share keeps `upkeep` moving. */
export type Priority = 'commit' | 'read' | 'load' | 'upkeep';

/**
 * A failure that no retry will heal. Everything that a retry can heal (429, 5xx, a lost reply, a broken connection) is
 * healed below this seam, with the same nonce, and is seen here only as time.
 */
export type StoreErrorCode =
  /** The token is no longer good. */
  | 'unauthorized'
  /** A permission is missing. */
  | 'forbidden'
  /** The channel (or the guild) does not exist any more. */
  | 'gone'
  /** The guild has no room for another channel. */
  | 'full'
  /** Discord refuses the request itself. */
  | 'refused'
  /** Another process has taken the guild over. */
  | 'fenced'
  /** The store was closed, or stopped itself before Discord would ban it. */
  | 'closed';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export interface ChannelInfo {
  readonly id: ChannelId;
  readonly name: string;
  readonly kind: 'category' | 'text' | 'other';
  readonly parentId: ChannelId | undefined;
  readonly topic: string;
}

export interface NewChannel {
  readonly name: string;
  readonly kind: 'category' | 'text';
  readonly parentId?: ChannelId;
  /** Text channels: names the purpose and makes the channel recognisable after a lost reply; at most 1024 characters. */
  readonly topic?: string;
}

/** What others did in the guild, as far as Discord tells. */
export type StoreEvent =
  /** `own`: posted by one of the bots that this store uses, though perhaps by another process. */
  | {
      readonly kind: 'created';
      readonly channel: ChannelId;
      readonly id: MessageId;
      readonly authorId: string;
      readonly own: boolean;
    }
  /** At least one id. What this store was asked to remove is left out. */
  | { readonly kind: 'deleted'; readonly channel: ChannelId; readonly ids: readonly MessageId[] }
  /** By somebody else. */
  | { readonly kind: 'channel-deleted'; readonly channel: ChannelId }
  /** From now on events come. Of what was before the first of these nothing is told. */
  | { readonly kind: 'connected' }
  /** Events between an earlier `connected` and the next one may have been missed for good. */
  | { readonly kind: 'gap' };

export type StoreListener = (event: StoreEvent) => void;

/**
 * What the policy above may count on, and no more:
 * - `append` calls `seal` once, at the moment a request may leave, and posts what it returns. When it resolves, the
 *   message is stored once, whatever was retried below. When it rejects, the message may or may not be stored.
 * - A page is newest first, as Discord lists it, and holds at most `limit` (1 to 100) messages.
 * - A message just appended need not show in a page at once; the answer to `append` is the truth.
 * - `remove` may leave messages behind without saying so; removing what is gone succeeds.
 * - Every method rejects with a `StoreError` alone.
 * - Events wake, the listing knows: an event may come never, late, twice, or in any order with others and with the answers
 *   to requests. Nothing is true because an event says so, and nothing false because none did. A store whose events have
 *   stopped works on.
 */
export interface Store {
  /** Every category and text channel, one request. */
  channels(): Promise<ChannelInfo[]>;
  /** Private to the bots of this store. Returns the existing channel when a lost reply is followed by a find (same name, kind, parent and topic). */
  createChannel(channel: NewChannel): Promise<ChannelInfo>;
  /** Succeeds when it is gone already. */
  deleteChannel(id: ChannelId): Promise<void>;

  /** `priority`: `commit`, unless said. */
  append(channel: ChannelId, seal: () => Draft, priority?: Priority): Promise<Message>;
  /** The newest messages below `before` (or of all), newest first. */
  pageBefore(channel: ChannelId, before: MessageId | undefined, limit: number, priority: Priority): Promise<Message[]>;
  /** The oldest messages above `after`, still listed newest first. */
  pageAfter(channel: ChannelId, after: MessageId, limit: number, priority: Priority): Promise<Message[]>;
  /** One message, or undefined when it is gone. */
  read(channel: ChannelId, id: MessageId, priority: Priority): Promise<Message | undefined>;
  /** The bytes of an attachment. An expired link is renewed by reading the message again; undefined when that is gone. */
  download(
    channel: ChannelId,
    message: Message,
    attachment: Attachment,
    priority: Priority,
  ): Promise<Uint8Array | undefined>;
  /** Up to any number of messages, in as few requests as their ages allow. */
  remove(channel: ChannelId, ids: readonly MessageId[]): Promise<void>;
  /** Tells `listener`, which must not throw, what happens from now on. Returns what ends that. */
  watch(listener: StoreListener): () => void;
  /** Ends what is under way and refuses what comes after. */
  close(): Promise<void>;
}
