import { CodedError } from '../base/index.ts';
import { Binary, type Doc } from '../bson/index.ts';
import { parseReadConcern, parseWriteConcern, type ReadConcern, type WriteConcern } from './concerns.ts';
import {
  any,
  boolean,
  document,
  type Field,
  type Fields,
  integer,
  isDocument,
  long,
  parseFields,
  string,
  struct,
  toNumber,
} from './fields.ts';

/** The arguments that every command takes (`src/mongo/idl/generic_argument.idl` of mongodb/mongo), read once. */
export interface Generic {
  /** Milliseconds; 0 is no limit. */
  readonly maxTimeMS: number;
  readonly readConcern: ReadConcern;
  readonly writeConcern: WriteConcern;
  /** A concern was asked for, as opposed to taken by default. */
  readonly writeConcernGiven: boolean;
  /** The session's UUID, 16 bytes. */
  readonly lsid: Uint8Array | undefined;
  readonly txnNumber: bigint | undefined;
  readonly stmtId: number | undefined;
  readonly clusterTime: Doc | undefined;
  readonly api: { readonly version: string | undefined; readonly strict: boolean; readonly deprecationErrors: boolean };
  /** The request belongs to a multi-document transaction. */
  readonly inTransaction: boolean;
}

/** The longest that MongoDB takes: what fits an int32. */
const MAX_TIME_MS_LIMIT = 2_147_483_647;
/** Bytes of a session's UUID. */
const LSID_BYTES = 16;

const uuid = (): Field<Uint8Array | undefined> => ({
  absent: () => undefined,
  parse(value, path) {
    if (value instanceof Binary && value.sub_type === 4 && value.length() === LSID_BYTES) {
      // A copy: sessions outlive the message that the bytes lie in.
      return Uint8Array.from(value.value());
    }
    throw new CodedError('InvalidUUID', `BSON field '${path}' must be a UUID: BinData of subtype 4 and 16 bytes`);
  },
});

/** A logical session id, as in `lsid` and in the lists of the session commands. */
export const lsidFields = { id: { ...uuid(), absent: missingId }, uid: any(), txnNumber: any(), txnUUID: any() };

function missingId(path: string): Uint8Array | undefined {
  throw new CodedError('IDLFailedToParse', `BSON field '${path}' is missing but a required field`);
}

const maxTime = (): Field<number> => ({
  absent: () => 0,
  parse(value) {
    const number = toNumber(value);
    if (number === undefined) throw new CodedError('BadValue', 'maxTimeMS must be a number');
    if (!Number.isInteger(number)) throw new CodedError('BadValue', 'maxTimeMS has non-integral value');
    if (number < 0 || number > MAX_TIME_MS_LIMIT) {
      throw new CodedError('BadValue', `${number} value for maxTimeMS is out of range [0, ${MAX_TIME_MS_LIMIT}]`);
    }
    return number;
  },
});

const genericFields = {
  $db: string(),
  comment: any(),
  maxTimeMS: maxTime(),
  readConcern: any(),
  writeConcern: any(),
  lsid: struct(lsidFields),
  txnNumber: long(),
  stmtId: integer(),
  autocommit: boolean(),
  startTransaction: boolean(),
  $clusterTime: document(),
  apiVersion: string(),
  apiStrict: boolean(),
  apiDeprecationErrors: boolean(),
} satisfies Fields;

/** Taken and of no effect on one process without shards. */
const OVERLOOKED = [
  '$readPreference',
  '$queryOptions',
  '$audit',
  '$client',
  '$configServerState',
  '$configTime',
  '$topologyTime',
  '$oplogQueryData',
  '$replData',
  '$tenant',
  '$traceCtx',
  'allowImplicitCollectionCreation',
  'clientOperationKey',
  'coordinator',
  'databaseVersion',
  'expectPrefix',
  'maxTimeMSOpOnly',
  'mayBypassWriteBlocking',
  'rawData',
  'serialization_context',
  'shardVersion',
  'tracking_info',
  'txnRetryCounter',
  'versionContext',
];
const NAMES: ReadonlySet<string> = new Set([...Object.keys(genericFields), ...OVERLOOKED]);

export function isGenericArgument(name: string): boolean {
  return NAMES.has(name);
}

export function parseGeneric(body: Doc, command: string): Generic {
  const args = parseFields(genericFields, body, command, () => true);
  if (args.txnNumber !== undefined) {
    if (!args.lsid) {
      throw new CodedError('InvalidOptions', 'Transaction number requires a session ID to also be specified');
    }
    if (args.txnNumber < 0n) throw new CodedError('InvalidOptions', 'Transaction number cannot be negative');
  }
  return {
    maxTimeMS: args.maxTimeMS,
    readConcern: parseReadConcern(args.readConcern),
    writeConcern: parseWriteConcern(args.writeConcern),
    writeConcernGiven: isDocument(args.writeConcern),
    lsid: args.lsid?.id,
    txnNumber: args.txnNumber,
    stmtId: args.stmtId,
    clusterTime: args.$clusterTime,
    api: {
      version: args.apiVersion,
      strict: args.apiStrict ?? false,
      deprecationErrors: args.apiDeprecationErrors ?? false,
    },
    inTransaction: args.autocommit === false || args.startTransaction === true,
  };
}
