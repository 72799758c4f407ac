import { CodedError } from '../../base/index.ts';
import { type Engine, type Namespace, notOnView } from '../../engine/index.ts';

const MAX_DB_BYTES = 63;
const MAX_NAMESPACE_BYTES = 255;
/** Characters that MongoDB refuses in a database's name, on a server for Linux. */
const BAD_DB_CHARACTERS = /[/\\. "$\0]/;

/** What a mongos has and DiscoDB does not: reads find nothing there, writes are refused. */
const CLUSTER_DBS: ReadonlySet<string> = new Set(['config', 'local']);

/** Names under `system.` that clients of MongoDB may write to. */
const WRITABLE_SYSTEM: ReadonlySet<string> = new Set(['system.js']);

export function showNamespace(ns: Namespace): string {
  return `${ns.db}.${ns.coll}`;
}

function invalid(message: string): CodedError {
  return new CodedError('InvalidNamespace', message);
}

export function checkDatabaseName(db: string): void {
  const bytes = Buffer.byteLength(db);
  if (db.includes('\0')) throw invalid('database names cannot have embedded null characters');
  if (bytes > MAX_DB_BYTES) throw invalid(`db name must be at most ${MAX_DB_BYTES} characters, found: ${bytes}`);
  if (db === '' || BAD_DB_CHARACTERS.test(db)) throw invalid(`Invalid database name: '${db}'`);
}

/** A namespace to read from: any name that could exist. */
export function readable(db: string, coll: string): Namespace {
  checkDatabaseName(db);
  if (coll.includes('\0')) throw invalid('namespaces cannot have embedded null characters');
  if (coll === '') throw invalid(`Invalid namespace specified '${db}.'`);
  if (coll.startsWith('.')) throw invalid(`Collection names cannot start with '.': ${coll}`);
  if (coll.startsWith('$') && !coll.startsWith('$cmd.')) throw invalid(`Invalid namespace specified '${db}.${coll}'`);
  return { db, coll };
}

/** A namespace to write to or to create. */
export function writable(db: string, coll: string): Namespace {
  const ns = readable(db, coll);
  if (CLUSTER_DBS.has(db)) {
    throw invalid(`DiscoDB has no sharded cluster behind it: '${db}' cannot be written to`);
  }
  if (coll.includes('$')) throw invalid(`Invalid collection name: ${coll}`);
  if (coll.startsWith('system.') && !WRITABLE_SYSTEM.has(coll)) {
    throw invalid(`Invalid system namespace: ${db}.${coll}`);
  }
  const full = `${db}.${coll}`;
  if (Buffer.byteLength(full) > MAX_NAMESPACE_BYTES) {
    throw invalid(`Fully qualified namespace is too long. Namespace: ${full} Max: ${MAX_NAMESPACE_BYTES}`);
  }
  return ns;
}

/** Throws for a view: the command is about collections. */
export function refuseView(engine: Engine, ns: Namespace): void {
  if (engine.resolveView(ns) && ns.coll !== 'system.views') throw notOnView(ns);
}

/** Splits `db.coll`, as renameCollection and dataSize take it. */
export function splitNamespace(full: string): { db: string; coll: string } {
  const dot = full.indexOf('.');
  if (dot < 0) throw invalid(`Invalid namespace specified '${full}'`);
  return { db: full.slice(0, dot), coll: full.slice(dot + 1) };
}
