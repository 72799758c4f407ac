import { aggregate } from './aggregate.ts';
import { buildInfo } from './build-info.ts';
import { bulkWrite } from './bulk-write.ts';
import { checkMetadataConsistency } from './check-metadata-consistency.ts';
import { collMod } from './coll-mod.ts';
import { collStats } from './coll-stats.ts';
import { compact } from './compact.ts';
import { connectionStatus } from './connection-status.ts';
import { convertToCapped } from './convert-to-capped.ts';
import { count } from './count.ts';
import { create } from './create.ts';
import { createIndexes } from './create-indexes.ts';
import { createSearchIndexes } from './create-search-indexes.ts';
import { currentOp } from './current-op.ts';
import { dataSize } from './data-size.ts';
import { dbStats } from './db-stats.ts';
import { deleteCommand } from './delete.ts';
import { distinct } from './distinct.ts';
import { drop } from './drop.ts';
import { dropDatabase } from './drop-database.ts';
import { dropIndexes } from './drop-indexes.ts';
import { dropSearchIndex } from './drop-search-index.ts';
import { endSessions } from './end-sessions.ts';
import { explain } from './explain.ts';
import { find } from './find.ts';
import { findAndModify } from './find-and-modify.ts';
import { fsync } from './fsync.ts';
import { getCmdLineOpts } from './get-cmd-line-opts.ts';
import { getDefaultRWConcern } from './get-default-rw-concern.ts';
import { getLog } from './get-log.ts';
import { getMore } from './get-more.ts';
import { getParameter } from './get-parameter.ts';
import { hello } from './hello.ts';
import { hostInfo } from './host-info.ts';
import { insert } from './insert.ts';
import { isMaster } from './is-master.ts';
import { killAllSessions } from './kill-all-sessions.ts';
import { killAllSessionsByPattern } from './kill-all-sessions-by-pattern.ts';
import { killCursors } from './kill-cursors.ts';
import { killOp } from './kill-op.ts';
import { killSessions } from './kill-sessions.ts';
import { listCollections } from './list-collections.ts';
import { listCommands } from './list-commands.ts';
import { listDatabases } from './list-databases.ts';
import { listIndexes } from './list-indexes.ts';
import { logout } from './logout.ts';
import { ping } from './ping.ts';
import { profile } from './profile.ts';
import { refreshSessions } from './refresh-sessions.ts';
import { renameCollection } from './rename-collection.ts';
import { rolesInfo } from './roles-info.ts';
import { serverStatus } from './server-status.ts';
import { setParameter } from './set-parameter.ts';
import { startSession } from './start-session.ts';
import type { Command } from './types.ts';
import { update } from './update.ts';
import { updateSearchIndex } from './update-search-index.ts';
import { usersInfo } from './users-info.ts';
import { validate } from './validate.ts';
import { whatsMyUri } from './whats-my-uri.ts';

const ALL: readonly Command[] = [
  aggregate,
  buildInfo,
  bulkWrite,
  checkMetadataConsistency,
  collMod,
  collStats,
  compact,
  connectionStatus,
  convertToCapped,
  count,
  create,
  createIndexes,
  createSearchIndexes,
  currentOp,
  dataSize,
  dbStats,
  deleteCommand,
  distinct,
  drop,
  dropDatabase,
  dropIndexes,
  dropSearchIndex,
  endSessions,
  explain,
  find,
  findAndModify,
  fsync,
  getCmdLineOpts,
  getDefaultRWConcern,
  getLog,
  getMore,
  getParameter,
  hello,
  hostInfo,
  insert,
  isMaster,
  killAllSessions,
  killAllSessionsByPattern,
  killCursors,
  killOp,
  killSessions,
  listCollections,
  listCommands,
  listDatabases,
  listIndexes,
  logout,
  ping,
  profile,
  refreshSessions,
  renameCollection,
  rolesInfo,
  serverStatus,
  setParameter,
  startSession,
  update,
  updateSearchIndex,
  usersInfo,
  validate,
  whatsMyUri,
];

/** Every command by its canonical name. What is not here is CommandNotFound. */
export const commands: ReadonlyMap<string, Command> = new Map(ALL.map((command) => [command.name, command]));

const bySpelling: ReadonlyMap<string, Command> = new Map(
  ALL.flatMap((command) => [command.name, ...command.aliases].map((name) => [name, command] as const)),
);

/** The command under any of its spellings. */
export function findCommand(name: string): Command | undefined {
  return bySpelling.get(name);
}
