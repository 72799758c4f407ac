import { type Clock, CodedError, type Log } from '../base/index.ts';
import { type Doc, Int32, Timestamp, typeAlias, type Value } from '../bson/index.ts';
import { showValue } from '../query/index.ts';
import { concernError } from './errors.ts';
import { any, boolean, document, integer, isDocument, parseFields, string, toInteger, toNumber } from './fields.ts';

/** What a write waits for before it is answered (DESIGN section 4). */
export interface WriteConcern {
  /** `durable`: Discord holds it. `applied`: memory does. */
  readonly wait: 'durable' | 'applied';
  /** Not with `w: 0`: a batch of writes is then answered without figures and errors (`isVerboseWC`). */
  readonly acknowledged: boolean;
  /** Milliseconds; 0 is no limit. */
  readonly wtimeout: number;
  /** A write concern mode that nobody has defined: the write is done, and the reply says that this was not met. */
  readonly unknownMode: string | undefined;
  /** As the client gave it, for the error that tells of a timeout. */
  readonly given: Doc;
}

export interface ReadConcern {
  readonly level: 'local' | 'available' | 'majority' | 'linearizable' | 'snapshot';
  /** What the engine shows: all that is applied, or only what Discord holds. */
  readonly read: 'local' | 'durable';
  /** What was at one time is asked for. */
  readonly snapshot?: boolean;
}

/** MongoDB's limit on `w`: the size of the largest replica set. */
const MAX_W = 50;
const MAX_WTIMEOUT_MS = 2 ** 31 - 1;

const writeConcernFields = {
  w: any(),
  j: boolean(),
  fsync: boolean(),
  wtimeout: any(),
  provenance: string(),
};

const DEFAULT_WRITE_CONCERN: WriteConcern = {
  wait: 'durable',
  acknowledged: true,
  wtimeout: 0,
  unknownMode: undefined,
  given: new Map<string, Value>([
    ['w', 'majority'],
    ['wtimeout', new Int32(0)],
    ['provenance', 'implicitDefault'],
  ]),
};

export function parseWriteConcern(value: Value): WriteConcern {
  if (value === undefined || value === null) return DEFAULT_WRITE_CONCERN;
  if (!isDocument(value)) {
    throw new CodedError(
      'TypeMismatch',
      `BSON field 'writeConcern' is the wrong type '${typeAlias(value)}', expected type 'object'`,
    );
  }
  const { w, j, fsync, wtimeout } = parseFields(writeConcernFields, value, 'writeConcern');
  if (j && fsync) throw new CodedError('FailedToParse', 'fsync and j options cannot be used together');
  const concern = { acknowledged: true, wtimeout: parseTimeout(wtimeout), unknownMode: undefined, given: value };
  if (w === undefined) return { ...concern, wait: 'durable' };
  // Null is the mode without a name (`deserializeWriteConcernW`), and that nobody can have defined.
  if (w === null || typeof w === 'string') {
    return { ...concern, wait: 'durable', unknownMode: w === 'majority' ? undefined : (w ?? '') };
  }
  if (isDocument(w)) {
    checkTags(w);
    return { ...concern, wait: 'durable', unknownMode: [...w.keys()].join(', ') };
  }
  if (Number.isNaN(toNumber(w))) throw new CodedError('FailedToParse', 'w cannot be NaN');
  const number = toInteger(w);
  if (number === undefined) {
    throw new CodedError('FailedToParse', `w has to be a number, string, or object; found: ${typeAlias(w)}`);
  }
  if (!(number >= 0 && number <= MAX_W)) {
    throw new CodedError(
      'FailedToParse',
      `w has to be a non-negative number and not greater than ${MAX_W}; found: ${number}`,
    );
  }
  // Discord keeps its own copies, so whoever asks for two nodes gets what a majority gets.
  return { ...concern, acknowledged: number > 0, wait: number >= 2 || j || fsync ? 'durable' : 'applied' };
}

/** Milliseconds. What is no number is 0, as MongoDB has it. */
function parseTimeout(wtimeout: Value): number {
  const limit = toInteger(wtimeout) ?? 0;
  if (limit > MAX_WTIMEOUT_MS) throw new CodedError('FailedToParse', 'wtimeout must be a 32-bit integer');
  return Math.max(0, limit);
}

function checkTags(tags: Doc): void {
  if (tags.size === 0) throw new CodedError('FailedToParse', 'tagged write concern requires tags');
  for (const [name, value] of tags) {
    if (toNumber(value) !== undefined) continue;
    throw new CodedError(
      'FailedToParse',
      `tags must be a single level document with only number values; found: ${name}: ${showValue(value)}`,
    );
  }
}

const READ_LEVELS = new Map<string, ReadConcern>([
  ['local', { level: 'local', read: 'local' }],
  ['available', { level: 'available', read: 'local' }],
  ['majority', { level: 'majority', read: 'durable' }],
  ['linearizable', { level: 'linearizable', read: 'durable' }],
  ['snapshot', { level: 'snapshot', read: 'durable', snapshot: true }],
]);
const LOCAL: ReadConcern = { level: 'local', read: 'local' };

const readConcernFields = {
  level: string(),
  afterClusterTime: any(),
  atClusterTime: any(),
  afterOpTime: document(),
  provenance: string(),
  allowTransactionTableSnapshot: boolean(),
  waitLastStableRecoveryTimestamp: boolean(),
  maxStalenessMS: integer(),
};

export function parseReadConcern(value: Value): ReadConcern {
  if (value === undefined || value === null) return LOCAL;
  if (!isDocument(value)) {
    throw new CodedError(
      'TypeMismatch',
      `BSON field 'readConcern' is the wrong type '${typeAlias(value)}', expected type 'object'`,
    );
  }
  const args = parseFields(readConcernFields, value, 'readConcern');
  for (const name of ['afterClusterTime', 'atClusterTime'] as const) {
    const time = args[name];
    if (time !== undefined && time !== null && !(time instanceof Timestamp)) {
      throw new CodedError(
        'TypeMismatch',
        `BSON field 'readConcern.${name}' is the wrong type '${typeAlias(time)}', expected type 'timestamp'`,
      );
    }
  }
  const concern = READ_LEVELS.get(args.level ?? 'local');
  if (!concern) {
    throw new CodedError(
      'BadValue',
      `Enumeration value '${args.level}' for field 'readConcern.level' is not a valid value.`,
    );
  }
  return args.atClusterTime instanceof Timestamp ? { ...concern, snapshot: true } : concern;
}

/** The `writeConcernError` of a mode that nobody has defined: the write is done all the same. */
export function unmetMode({ unknownMode }: WriteConcern): Doc | undefined {
  if (unknownMode === undefined) return undefined;
  const text = `No write concern mode named '${unknownMode}' found in replica set configuration`;
  return concernError('UnknownReplWriteConcern', text);
}

interface Waiting {
  readonly clock: Clock;
  readonly log: Log;
  /** Ends the wait, not the write: maxTimeMS, killOp. */
  readonly signal: AbortSignal;
}

/**
 * Waits as the write concern asks. Resolves with the `writeConcernError` of a write that is kept but not confirmed, or
 * undefined; rejects with the store's error when the write will never be durable.
 */
export async function confirm(
  durable: Promise<void>,
  concern: WriteConcern,
  waiting: Waiting,
): Promise<Doc | undefined> {
  if (concern.wait === 'applied') {
    durable.catch((error: unknown) => {
      waiting.log.warn({ err: error }, 'a write that was acknowledged from memory (w: 0 or 1) was lost');
    });
    return undefined;
  }
  const end = await firstOf(durable, concern.wtimeout, waiting);
  if (end === 'timeout') {
    const errInfo: Doc = new Map<string, Value>([
      ['wtimeout', true],
      ['writeConcern', concern.given],
    ]);
    return concernError('WriteConcernFailed', 'waiting for replication timed out', errInfo);
  }
  if (end instanceof CodedError) return concernError(end.codeName, end.message);
  return undefined;
}

function firstOf(
  durable: Promise<void>,
  wtimeout: number,
  waiting: Waiting,
): Promise<'durable' | 'timeout' | CodedError> {
  const { clock, signal } = waiting;
  return new Promise((resolve, reject) => {
    const timer = wtimeout > 0 ? clock.timer(wtimeout, () => finish(() => resolve('timeout'))) : undefined;
    const onAbort = () =>
      finish(() => (signal.reason instanceof CodedError ? resolve(signal.reason) : reject(signal.reason)));
    const finish = (settle: () => void) => {
      timer?.cancel();
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    durable.then(
      () => finish(() => resolve('durable')),
      (error: unknown) => finish(() => reject(error)),
    );
    if (signal.aborted) onAbort();
  });
}
