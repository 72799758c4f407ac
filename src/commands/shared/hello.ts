import { CodedError } from '../../base/index.ts';
import { type Doc, doc, encode, MAX_DOCUMENT_BYTES, ObjectId, typeAlias } from '../../bson/index.ts';
import {
  any,
  arrayOf,
  boolean,
  document,
  type Field,
  integer,
  long,
  type Parsed,
  required,
  string,
  struct,
} from '../fields.ts';
import { SESSION_TIMEOUT_MINUTES } from '../sessions.ts';
import type { TopologyVersion } from '../topology.ts';
import type { Connection, Context, Request } from '../types.ts';
import { MAX_MESSAGE_BYTES, MAX_WRITE_BATCH } from './limits.ts';
import { MAX_WIRE_VERSION, MIN_WIRE_VERSION } from './version.ts';

/** A mongos takes half of what a mongod does. */
const MAX_CLIENT_METADATA_BYTES = 512;

const objectId = (): Field<ObjectId> =>
  required({
    absent: () => undefined,
    parse(value, path) {
      if (value instanceof ObjectId) return value;
      throw new CodedError(
        'TypeMismatch',
        `BSON field '${path}' is the wrong type '${typeAlias(value)}', expected type 'objectId'`,
      );
    },
  });

export const helloFields = {
  helloOk: boolean(),
  client: document(),
  compression: arrayOf(required(string())),
  saslSupportedMechs: any(),
  topologyVersion: struct({ processId: objectId(), counter: required(long()) }),
  maxAwaitTimeMS: integer(),
};

/** What a mongos answers (mongo-clients.md, A1), once the topology has changed or the time to await that is over. */
export async function helloReply(
  args: Parsed<typeof helloFields>,
  request: Request,
  context: Context,
  primary: 'isWritablePrimary' | 'ismaster',
): Promise<Doc> {
  const { topology, env } = context;
  if (topology.stopped) throw topology.stopError();
  if (args.client) setClient(request.connection, args.client);
  await awaitChange(args, request, context);
  if (request.exhaustAllowed && args.topologyVersion) {
    request.again(new Map(request.body).set('topologyVersion', topology.version));
  }
  const shared = args.compression?.filter((name) => context.compressors.includes(name)) ?? [];
  return doc({
    [primary]: true,
    msg: 'isdbgrid',
    topologyVersion: topology.version,
    helloOk: args.helloOk ? true : undefined,
    maxBsonObjectSize: MAX_DOCUMENT_BYTES,
    maxMessageSizeBytes: MAX_MESSAGE_BYTES,
    maxWriteBatchSize: MAX_WRITE_BATCH,
    localTime: new Date(env.clock.now()),
    logicalSessionTimeoutMinutes: SESSION_TIMEOUT_MINUTES,
    connectionId: request.connection.id,
    maxWireVersion: MAX_WIRE_VERSION,
    minWireVersion: MIN_WIRE_VERSION,
    readOnly: false,
    compression: shared.length > 0 ? shared : undefined,
    // Nobody has a mechanism: there is no authentication.
    saslSupportedMechs: typeof args.saslSupportedMechs === 'string' ? [] : undefined,
  });
}

function setClient(connection: Connection, client: Doc): void {
  if (connection.client) {
    throw new CodedError(
      'ClientMetadataCannotBeMutated',
      'The client metadata document may only be sent in the first hello',
    );
  }
  if (encode(client).length > MAX_CLIENT_METADATA_BYTES) {
    throw new CodedError(
      'ClientMetadataDocumentTooLarge',
      `The client metadata document must be less then or equal to ${MAX_CLIENT_METADATA_BYTES} bytes`,
    );
  }
  connection.client = client;
}

async function awaitChange(
  {
    topologyVersion,
    maxAwaitTimeMS,
  }: { topologyVersion: TopologyVersion | undefined; maxAwaitTimeMS: number | undefined },
  request: Request,
  { topology }: Context,
): Promise<void> {
  if (topologyVersion && maxAwaitTimeMS !== undefined) {
    if (topologyVersion.counter < 0n) {
      throw new CodedError('Location51758', 'topologyVersion must have a non-negative counter');
    }
    if (maxAwaitTimeMS < 0) {
      throw new CodedError('Location51759', 'maxAwaitTimeMS must be a non-negative integer');
    }
    await topology.changeFrom(topologyVersion, maxAwaitTimeMS, request.signal);
  } else if (topologyVersion) {
    throw new CodedError('Location51760', "A request with a 'topologyVersion' must include 'maxAwaitTimeMS'");
  } else if (maxAwaitTimeMS !== undefined) {
    throw new CodedError('Location51760', "A request with 'maxAwaitTimeMS' must include a 'topologyVersion'");
  } else if (request.exhaustAllowed) {
    throw new CodedError('Location51763', "A hello/isMaster request with exhaust must specify 'maxAwaitTimeMS'");
  }
}
