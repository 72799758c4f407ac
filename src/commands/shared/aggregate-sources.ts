import { createHash } from 'node:crypto';
import { CodedError } from '../../base/index.ts';
import { Binary, type Doc, doc, typeAlias, type Value } from '../../bson/index.ts';
import type { PipelineSources } from '../../engine/index.ts';
import {
  isDocument,
  type Parsed,
  parseFields,
  required,
  strictBoolean,
  string,
  structs,
  withDefault,
} from '../fields.ts';
import type { Context } from '../types.ts';
import { showOperations } from './show-operations.ts';

/** Of nobody, for everybody is let in. */
const NO_USER = createHash('sha256').digest();

const CURRENT_OP_OPTIONS: ReadonlySet<string> = new Set([
  ...['allUsers', 'idleConnections', 'idleCursors', 'idleSessions', 'localOps', 'backtrace', 'truncateOps'],
  'targetAllNodes',
]);

/** The stages that begin a pipeline with what is known here and not to the engine. */
export function aggregateSources(context: Context): PipelineSources {
  return {
    $currentOp(spec, { db, coll }) {
      if (db !== 'admin' || coll !== '$cmd.aggregate') {
        throw new CodedError(
          'InvalidNamespace',
          "$currentOp must be run against the 'admin' database with {aggregate: 1}",
        );
      }
      checkCurrentOp(spec);
      return () => showOperations(context);
    },
    $listLocalSessions(spec) {
      const { users } = parseSessions('$listLocalSessions', spec);
      return () => listed(context, users);
    },
    $listSessions(spec, { db, coll }) {
      if (db !== 'config' || coll !== 'system.sessions') {
        throw new CodedError('InvalidNamespace', '$listSessions may only be run against config.system.sessions');
      }
      const { users } = parseSessions('$listSessions', spec);
      return () => listed(context, users);
    },
  };
}

function checkCurrentOp(spec: Value): void {
  if (!isDocument(spec)) {
    throw new CodedError(
      'FailedToParse',
      `$currentOp options must be specified in an object, but found: ${typeAlias(spec)}`,
    );
  }
  for (const [name, value] of spec) {
    if (!CURRENT_OP_OPTIONS.has(name)) {
      throw new CodedError('FailedToParse', `Unrecognized option '${name}' in $currentOp stage.`);
    }
    if (typeof value !== 'boolean') {
      throw new CodedError('FailedToParse', `The '${name}' parameter of the $currentOp stage must be a boolean value`);
    }
  }
}

const sessionFields = {
  users: structs({ user: required(string()), db: required(string()) }),
  allUsers: withDefault(strictBoolean(), false),
};

function parseSessions(stage: string, spec: Value): Parsed<typeof sessionFields> {
  if (!isDocument(spec)) {
    throw new CodedError('TypeMismatch', `${stage} options must be specified in an object`);
  }
  const parsed = parseFields(sessionFields, spec, stage);
  if (parsed.allUsers && parsed.users && parsed.users.length > 0) {
    throw new CodedError(
      'UnsupportedFormat',
      `${stage} may not specify {allUsers:true} and {users:[...]} at the same time`,
    );
  }
  return parsed;
}

/** The sessions are nobody's: of users that are named there are none. */
function listed({ sessions }: Context, users: readonly unknown[] = []): Doc[] {
  if (users.length > 0) return [];
  return sessions.all().map(({ key, lastUse }) =>
    doc({
      _id: doc({ id: new Binary(Buffer.from(key, 'hex'), Binary.SUBTYPE_UUID), uid: new Binary(NO_USER, 0) }),
      lastUse,
    }),
  );
}
