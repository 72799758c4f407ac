import type { EventType, Json } from './types.ts';

/** Numbers of the gateway protocol (docs: topics/opcodes-and-status-codes, events/gateway). */
export const OP = {
  dispatch: 0,
  heartbeat: 1,
  identify: 2,
  presenceUpdate: 3,
  voiceStateUpdate: 4,
  resume: 6,
  reconnect: 7,
  requestGuildMembers: 8,
  invalidSession: 9,
  hello: 10,
  heartbeatAck: 11,
} as const;

export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  unknownError: 4000,
  unknownOpcode: 4001,
  decodeError: 4002,
  notAuthenticated: 4003,
  authenticationFailed: 4004,
  alreadyAuthenticated: 4005,
  invalidSequence: 4007,
  rateLimited: 4008,
  sessionTimedOut: 4009,
  invalidShard: 4010,
  invalidVersion: 4012,
  invalidIntents: 4013,
  disallowedIntents: 4014,
} as const;

export type CloseCode = (typeof CLOSE)[keyof typeof CLOSE];

/** The reason that goes with a close code. */
export const CLOSE_REASON: Readonly<Record<CloseCode, string>> = {
  1000: '',
  1001: 'Going away.',
  4000: 'Unknown error.',
  4001: 'Unknown opcode.',
  4002: 'Error while decoding payload.',
  4003: 'Not authenticated.',
  4004: 'Authentication failed.',
  4005: 'Already authenticated.',
  4007: 'Invalid seq.',
  4008: 'Rate limited.',
  4009: 'Session timed out.',
  4010: 'Invalid shard.',
  4012: 'Invalid API version.',
  4013: 'Invalid intent(s).',
  4014: 'Disallowed intent(s).',
};

/** Thrown by whoever finds that a connection must be closed; the connection's state machine catches it and does so. */
export class GatewayClose extends Error {
  override readonly name = 'GatewayClose';
  readonly code: CloseCode;

  constructor(code: CloseCode) {
    super(CLOSE_REASON[code]);
    this.code = code;
  }
}

export const INTENT = {
  guilds: 1 << 0,
  guildMembers: 1 << 1,
  guildPresences: 1 << 8,
  guildMessages: 1 << 9,
  guildMessageReactions: 1 << 10,
  guildMessageTyping: 1 << 11,
  messageContent: 1 << 15,
} as const;

/** Bits 0-16, 20, 21, 24 and 25 are taken; any other makes the set invalid. */
export const KNOWN_INTENTS = 0x1ffff | (1 << 20) | (1 << 21) | (1 << 24) | (1 << 25);

/** Intents that the application must have switched on, with the application flags that say so (full and limited form). */
export const PRIVILEGED: readonly { readonly intent: number; readonly flags: number }[] = [
  { intent: INTENT.guildPresences, flags: (1 << 12) | (1 << 13) },
  { intent: INTENT.guildMembers, flags: (1 << 14) | (1 << 15) },
  { intent: INTENT.messageContent, flags: (1 << 18) | (1 << 19) },
];

/** Which intent brings which event. */
export const INTENT_OF: Readonly<Record<EventType, number>> = {
  MESSAGE_CREATE: INTENT.guildMessages,
  MESSAGE_UPDATE: INTENT.guildMessages,
  MESSAGE_DELETE: INTENT.guildMessages,
  MESSAGE_DELETE_BULK: INTENT.guildMessages,
  MESSAGE_REACTION_ADD: INTENT.guildMessageReactions,
  MESSAGE_REACTION_REMOVE: INTENT.guildMessageReactions,
  TYPING_START: INTENT.guildMessageTyping,
  CHANNEL_CREATE: INTENT.guilds,
  CHANNEL_UPDATE: INTENT.guilds,
  CHANNEL_DELETE: INTENT.guilds,
  CHANNEL_PINS_UPDATE: INTENT.guilds,
  THREAD_CREATE: INTENT.guilds,
  THREAD_UPDATE: INTENT.guilds,
  THREAD_DELETE: INTENT.guilds,
  GUILD_CREATE: INTENT.guilds,
  GUILD_DELETE: INTENT.guilds,
  GUILD_ROLE_UPDATE: INTENT.guilds,
  GUILD_MEMBER_UPDATE: INTENT.guildMembers,
};

/** What the server sends. `s` and `t` are null but on dispatches. */
export interface Payload {
  readonly op: number;
  readonly d: Json;
  readonly s: number | null;
  readonly t: string | null;
}

export function payload(op: number, d: Json = null): Payload {
  return { op, d, s: null, t: null };
}

/** One end of a connection, as the state machine sees it. After `close` nothing more is sent. */
export interface GatewayLink {
  send(payload: Payload): void;
  close(code: CloseCode): void;
}

/** What a client sent. `d` is checked by whoever handles the opcode. */
export interface Command {
  readonly op: number;
  readonly d: unknown;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Throws a `GatewayClose` for what is not a JSON object with an integer opcode. */
export function parseCommand(text: string): Command {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new GatewayClose(CLOSE.decodeError);
  }
  if (!isObject(value) || !Number.isInteger(value.op)) throw new GatewayClose(CLOSE.decodeError);
  return { op: Number(value.op), d: value.d };
}
