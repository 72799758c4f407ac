import { CodedError } from '../../base/index.ts';
import { type Doc, doc, Int32, type Value } from '../../bson/index.ts';
import { LIMIT_PARAMETERS, type Limited, type LimitParameter } from '../../query/index.ts';
import { toNumber } from '../fields.ts';
import { SESSION_TIMEOUT_MINUTES } from '../sessions.ts';
import type { Context } from '../types.ts';
import { FEATURE_COMPATIBILITY_VERSION } from './version.ts';

const LIMITED = Object.entries(LIMIT_PARAMETERS) as [Limited, LimitParameter][];

/** Server parameters that clients and test runners ask for, each with a true answer. */
export function parameters(context: Context): Doc {
  const { limits } = context.engine;
  const shown = LIMITED.map(([limited, { name, type }]): [string, Value] => [name, ofType(type, limits[limited])]);
  return doc({
    ...Object.fromEntries(shown),
    allowDiskUseByDefault: context.engine.allowDiskUseByDefault,
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
const INT64_MAX = 2n ** 63n - 1n;

function ofType(type: LimitParameter['type'], value: number): Value {
  if (type === 'int') return new Int32(value);
  return value >= 2 ** 63 ? INT64_MAX : BigInt(value);
}

/** A number that is to be of an integral type, its fraction cut off (`BSONElement::tryCoerce`). Throws BadValue. */
function coerced(name: string, type: LimitParameter['type'], value: Value): number {
  const failed = (why: string) => new CodedError('BadValue', `Failed validating ${name}: ${why}`);
  const number = typeof value === 'boolean' ? Number(value) : toNumber(value);
  if (number === undefined) throw failed('Unable to coerce value to integral type');
  if (!Number.isFinite(number)) throw failed('Unable to coerce NaN/Inf to integral type');
  const whole = Math.trunc(number);
  const end = type === 'int' ? 2 ** 31 : 2 ** 63;
  // The greatest long is no double, and stands for the one behind it.
  const tooGreat = type === 'int' || typeof value === 'number' ? whole >= end : whole > end;
  if (tooGreat || whole < -end) throw failed('Out of bounds coercing to integral value');
  return whole;
}

/** What a timer can count. */
const MAX_SLEEP_SECONDS = Math.floor(INT32_MAX / 1000);

/** How to change a parameter; those that are not here cannot be. The returned text says what is wrong with the value. */
type Setter = (value: Value, context: Context) => string | undefined;

function flag(name: string, set: (value: boolean, context: Context) => void): [string, Setter] {
  return [
    name,
    (value, context) => {
      if (typeof value !== 'boolean') return 'it must be true or false';
      set(value, context);
      return undefined;
    },
  ];
}

export const SETTERS: ReadonlyMap<string, Setter> = new Map<string, Setter>([
  ...LIMITED.map(([limited, { name, type, range }]): [string, Setter] => [
    name,
    (value, { engine }) => {
      const limit = coerced(name, type, value);
      if ('least' in range && limit < range.least) return `${limit} is not greater than or equal to ${range.least}`;
      if ('above' in range && limit <= range.above) return `${limit} is not greater than ${range.above}`;
      engine.limits[limited] = limit;
      return undefined;
    },
  ]),
  flag('allowDiskUseByDefault', (value, { engine }) => {
    engine.allowDiskUseByDefault = value;
  }),
  flag('discodbUpkeepPaused', (value, { engine }) => {
    engine.upkeepPaused = value;
  }),
  flag('ttlMonitorEnabled', (value, { engine }) => {
    engine.ttl.enabled = value;
  }),
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
