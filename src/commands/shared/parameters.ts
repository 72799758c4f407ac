import { type Doc, doc, Int32, type Value } from '../../bson/index.ts';
import { type Limited, MEMORY_PARAMETERS } from '../../query/index.ts';
import { toNumber } from '../fields.ts';
import { SESSION_TIMEOUT_MINUTES } from '../sessions.ts';
import type { Context } from '../types.ts';
import { FEATURE_COMPATIBILITY_VERSION } from './version.ts';

const LIMITED = Object.entries(MEMORY_PARAMETERS) as [Limited, string][];
/** MongoDB's types of these are int, and long of the others. */
const INTS: ReadonlySet<Limited> = new Set(['push', 'addToSet', 'topN']);

function memoryLimit(limited: Limited, { engine }: Context): Value {
  const bytes = engine.limits[limited];
  return INTS.has(limited) ? new Int32(bytes) : BigInt(bytes);
}

/** Server parameters that clients and test runners ask for, each with a true answer. */
export function parameters(context: Context): Doc {
  const limits = LIMITED.map(([limited, name]) => [name, memoryLimit(limited, context)] as const);
  return doc({
    ...Object.fromEntries(limits),
    authSchemaVersion: 5,
    authenticationMechanisms: [],
    cursorTimeoutMillis: BigInt(context.cursors.idleTimeoutMs),
    discodbUpkeepPaused: context.engine.upkeepPaused,
    enableTestCommands: false,
    featureCompatibilityVersion: { version: FEATURE_COMPATIBILITY_VERSION },
    localLogicalSessionTimeoutMinutes: SESSION_TIMEOUT_MINUTES,
    logComponentVerbosity: { verbosity: 0 },
    quiet: false,
    requireApiVersion: false,
    ttlMonitorEnabled: context.engine.ttl.enabled,
    ttlMonitorSleepSecs: context.engine.ttl.sleepSeconds,
  });
}

const INT32_MAX = 2 ** 31 - 1;
/** What a timer can count. */
const MAX_SLEEP_SECONDS = Math.floor(INT32_MAX / 1000);

/** How to change a parameter; those that are not here cannot be. The returned text says what is wrong with the value. */
type Setter = (value: Value, context: Context) => string | undefined;

export const SETTERS: ReadonlyMap<string, Setter> = new Map<string, Setter>([
  ...LIMITED.map(([limited, name]): [string, Setter] => [
    name,
    (value, { engine }) => {
      const bytes = toNumber(value);
      const most = INTS.has(limited) ? INT32_MAX : Number.MAX_SAFE_INTEGER;
      if (bytes === undefined || !Number.isSafeInteger(bytes) || bytes > most) return 'it must be a number of bytes';
      if (bytes <= 0) return `${bytes} is not greater than 0`;
      engine.limits[limited] = bytes;
      return undefined;
    },
  ]),
  [
    'discodbUpkeepPaused',
    (value, { engine }) => {
      if (typeof value !== 'boolean') return 'it must be true or false';
      engine.upkeepPaused = value;
      return undefined;
    },
  ],
  [
    'ttlMonitorEnabled',
    (value, { engine }) => {
      if (typeof value !== 'boolean') return 'it must be true or false';
      engine.ttl.enabled = value;
      return undefined;
    },
  ],
  [
    'ttlMonitorSleepSecs',
    (value, { engine }) => {
      const seconds = toNumber(value) ?? Number.NaN;
      if (!Number.isSafeInteger(seconds) || seconds <= 0) return 'it must be a positive number of seconds';
      if (seconds > MAX_SLEEP_SECONDS) return `it must be at most ${MAX_SLEEP_SECONDS} seconds`;
      engine.ttl.sleepSeconds = seconds;
      return undefined;
    },
  ],
  [
    'cursorTimeoutMillis',
    (value, context) => {
      const milliseconds = toNumber(value) ?? Number.NaN;
      if (!Number.isSafeInteger(milliseconds) || milliseconds <= 0)
        return 'it must be a positive number of milliseconds';
      context.cursors.idleTimeoutMs = milliseconds;
      return undefined;
    },
  ],
]);

/** The fields of a command that name parameters. */
export function parameterFields(body: Doc, command: string, isGeneric: (name: string) => boolean): [string, Value][] {
  return [...body].filter(([name]) => name !== command && !isGeneric(name));
}
