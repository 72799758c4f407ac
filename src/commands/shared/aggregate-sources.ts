import { createHash } from 'node:crypto';
import { CodedError } from '../../base/index.ts';
import { Binary, type Doc, doc, typeAlias, type Value } from '../../bson/index.ts';
import type { PipelineSources } from '../../engine/index.ts';
import { isDocument } from '../fields.ts';
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
      checkSessions('$listLocalSessions', spec);
      return () => listed(context);
    },
    $listSessions(spec, { db, coll }) {
      if (db !== 'config' || coll !== 'system.sessions') {
        throw new CodedError('InvalidNamespace', '$listSessions may only be run against config.system.sessions');
      }
      checkSessions('$listSessions', spec);
      return () => listed(context);
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

function checkSessions(stage: string, spec: Value): void {
  if (!isDocument(spec)) {
    throw new CodedError('TypeMismatch', `${stage} options must be specified in an object`);
  }
  for (const name of spec.keys()) {
    if (name !== 'allUsers' && name !== 'users') {
      throw new CodedError('IDLUnknownField', `BSON field '${stage}.${name}' is an unknown field.`);
    }
  }
}

function listed({ sessions }: Context): Doc[] {
  return sessions.all().map(({ key, lastUse }) =>
    doc({
      _id: doc({ id: new Binary(Buffer.from(key, 'hex'), Binary.SUBTYPE_UUID), uid: new Binary(NO_USER, 0) }),
      lastUse,
    }),
  );
}
