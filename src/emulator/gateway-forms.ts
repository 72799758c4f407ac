import { CLOSE, GatewayClose, isObject, KNOWN_INTENTS, PRIVILEGED } from './gateway-protocol.ts';
import type { Bot, EmulatorCore } from './types.ts';

/** What an IDENTIFY asks for, checked. */
export interface Identify {
  readonly bot: Bot;
  readonly intents: number;
  readonly shard: readonly [number, number];
}

/** Throws the `GatewayClose` that Discord answers a wrong IDENTIFY with. */
export function readIdentify(core: EmulatorCore, d: unknown): Identify {
  if (!isObject(d) || !isObject(d.properties)) throw new GatewayClose(CLOSE.decodeError);
  const bot = readBot(core, d.token);
  const shard = readShard(d.shard);
  return { bot, shard, intents: readIntents(bot, d.intents) };
}

/** Throws the `GatewayClose` that Discord answers a wrong RESUME with. */
export function readResume(core: EmulatorCore, d: unknown): { token: string; sessionId: string; seq: number } {
  if (!isObject(d) || typeof d.session_id !== 'string' || !Number.isSafeInteger(d.seq)) {
    throw new GatewayClose(CLOSE.decodeError);
  }
  return { token: readBot(core, d.token).token, sessionId: d.session_id, seq: Number(d.seq) };
}

function readBot(core: EmulatorCore, token: unknown): Bot {
  if (typeof token !== 'string') throw new GatewayClose(CLOSE.decodeError);
  const bot = core.botByToken(token);
  if (!bot) throw new GatewayClose(CLOSE.authenticationFailed);
  return bot;
}

/** `[id, count]`; one shard when none is given. */
function readShard(shard: unknown): readonly [number, number] {
  if (shard === undefined || shard === null) return [0, 1];
  if (!Array.isArray(shard) || shard.length !== 2 || !shard.every(Number.isSafeInteger)) {
    throw new GatewayClose(CLOSE.invalidShard);
  }
  const [id, count]: number[] = shard;
  if (id! < 0 || count! <= id!) throw new GatewayClose(CLOSE.invalidShard);
  return [id!, count!];
}

function readIntents(bot: Bot, value: unknown): number {
  // A bit set: `|` keeps 32 bits, so a number with higher ones comes back changed.
  if (typeof value !== 'number' || (value & KNOWN_INTENTS) !== value) throw new GatewayClose(CLOSE.invalidIntents);
  for (const { intent, flags } of PRIVILEGED) {
    const wanted = (value & intent) !== 0;
    if (wanted && (bot.applicationFlags & flags) === 0) throw new GatewayClose(CLOSE.disallowedIntents);
  }
  return value;
}
