import { CodedError } from '../base/index.ts';
import type { Envelope } from './envelope.ts';
import type { Generic } from './generic.ts';
import { sessionKey } from './sessions.ts';
import { checkDatabaseName } from './shared/namespace.ts';
import type { Command, Context } from './types.ts';

/** Drivers send these without waiting for an answer, and say so by a write concern of w: 0. */
const SESSION_COMMANDS: ReadonlySet<string> = new Set(['endSessions', 'killCursors']);

/** Refuses what may not run here or now, and begins what must be known before it does. */
export function admit({ command, db }: Envelope, generic: Generic, context: Context): void {
  if (context.topology.stopped && command.name !== 'hello' && command.name !== 'isMaster') {
    throw new CodedError('InterruptedAtShutdown', 'DiscoDB is shutting down');
  }
  checkDatabaseName(db);
  if (command.adminOnly && db !== 'admin') {
    throw new CodedError('Unauthorized', `${command.name} may only be run against the admin database.`);
  }
  checkApi(command, generic);
  if (generic.inTransaction) {
    // Not IllegalOperation: whatever its text, the Node.js driver shows it as a lack of retryable writes.
    throw new CodedError(
      'OperationNotSupportedInTransaction',
      'DiscoDB does not support multi-document transactions yet',
    );
  }
  checkConcerns(command, generic);
  if (generic.clusterTime) context.clusterTime.observe(generic.clusterTime);
  if (!generic.lsid) return;
  const session = sessionKey(generic.lsid);
  context.sessions.touch(session);
  if (generic.txnNumber === undefined) return;
  if (!command.retryable) {
    throw new CodedError(
      'NotARetryableWriteCommand',
      'txnNumber may only be provided for multi-document transactions and retryable write commands. ' +
        `autocommit:false was not provided, and ${command.name} is not a retryable write command.`,
    );
  }
  context.sessions.useTxnNumber(session, generic.txnNumber);
}

function checkApi(command: Command, { api }: Generic): void {
  if (api.version === undefined) {
    if (!api.strict && !api.deprecationErrors) return;
    throw new CodedError(
      'Location4886600',
      'Provided apiStrict and/or apiDeprecationErrors without passing apiVersion',
    );
  }
  if (api.version !== '1') throw new CodedError('APIVersionError', 'API version must be "1"');
  if (api.strict && !command.apiV1) {
    throw new CodedError(
      'APIStrictError',
      `Provided apiStrict:true, but the command ${command.name} is not in API Version 1. ` +
        'Information on supported commands and migrations in API Version 1 can be found at ' +
        'https://dochub.mongodb.org/core/manual-versioned-api',
    );
  }
}

function checkConcerns(command: Command, generic: Generic): void {
  if (generic.writeConcernGiven && !command.writeConcern && !SESSION_COMMANDS.has(command.name)) {
    throw new CodedError('InvalidOptions', `Command ${command.name} does not support writeConcern`);
  }
  const { level, snapshot } = generic.readConcern;
  if (!command.readConcern && level !== 'local') {
    throw new CodedError(
      'InvalidOptions',
      `Command ${command.name} does not support { readConcern: { level: "${level}", ` +
        'provenance: "clientSupplied" } }',
    );
  }
  if (snapshot) throw new CodedError('NotImplemented', 'DiscoDB does not support readConcern snapshot yet');
}
