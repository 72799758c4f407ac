/** Numbers of the gateway protocol (docs: topics/opcodes-and-status-codes.mdx, events/gateway.mdx). */
export const Opcode = {
  dispatch: 0,
  heartbeat: 1,
  identify: 2,
  resume: 6,
  reconnect: 7,
  invalidSession: 9,
  hello: 10,
  heartbeatAck: 11,
} as const;

const GUILDS = 1 << 0;
const GUILD_MESSAGES = 1 << 9;
const MESSAGE_CONTENT = 1 << 15;
export const INTENTS = GUILDS | GUILD_MESSAGES | MESSAGE_CONTENT;

/** Ends the session, as 1001 does; any other code of the client leaves it to a RESUME. */
export const CLOSE_FOR_GOOD = 1000;
export const CLOSE_TO_RESUME = 4000;

export const FinalClose = {
  authenticationFailed: 4004,
  invalidShard: 4010,
  shardingRequired: 4011,
  invalidVersion: 4012,
  invalidIntents: 4013,
  disallowedIntents: 4014,
} as const;

/** What Discord's close code lets a client do next. RESUME costs nothing, so whatever the documentation leaves open is one. */
export function afterClose(code: number): 'resume' | 'identify' | 'never' {
  if (FINAL.has(code)) return 'never';
  return SESSION_OVER.has(code) ? 'identify' : 'resume';
}

const FINAL: ReadonlySet<number> = new Set(Object.values(FinalClose));
/** Not authenticated, already authenticated, invalid sequence, session timed out. */
const SESSION_OVER: ReadonlySet<number> = new Set([4003, 4005, 4007, 4009]);
