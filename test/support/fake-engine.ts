import { CodedError, type Env, uuidBytes } from '../../src/base/index.ts';
import { type Doc, decode, doc, encode, equal, newObjectId, type Value } from '../../src/bson/index.ts';
import type {
  AggregateOptions,
  CollectionInfo,
  DeleteStatement,
  DocCursor,
  Engine,
  Explained,
  FindAndModify,
  FindQuery,
  IndexSpec,
  IndexUse,
  Namespace,
  UpdateStatement,
  WriteOptions,
  WriteResult,
} from '../../src/engine/index.ts';
import { defaultLimits } from '../../src/query/index.ts';

interface Kept {
  info: CollectionInfo;
  docs: Doc[];
}

/** A call that reached the engine, for tests of what a command passes on. */
export interface Call {
  readonly method: string;
  readonly args: readonly unknown[];
}

/**
 * An engine in memory, just right enough to see what commands ask and answer: filters are equality of top-level
 * fields, updates are `$set` or replacement. `durable` is what every write waits for.
 */
export class FakeEngine implements Engine {
  durable: Promise<void> = Promise.resolve();
  /** When set, every read and write throws it. */
  failure: Error | undefined;
  /** What `next` of every cursor waits for. */
  reading: Promise<void> = Promise.resolve();
  openCursors = 0;
  readonly calls: Call[] = [];
  readonly #env: Env;
  readonly #kept = new Map<string, Kept>();

  constructor(env: Env) {
    this.#env = env;
  }

  called(method: string): readonly unknown[] {
    const call = this.calls.findLast((each) => each.method === method);
    if (!call) throw new Error(`${method} was not called`);
    return call.args;
  }

  databases(): readonly string[] {
    return [...new Set([...this.#kept.values()].map(({ info }) => info.ns.db))].sort();
  }

  collections(db: string): readonly CollectionInfo[] {
    return [...this.#kept.values()].map(({ info }) => info).filter(({ ns }) => ns.db === db);
  }

  collection(ns: Namespace): CollectionInfo | undefined {
    return this.#find(ns)?.info;
  }

  views(): readonly CollectionInfo[] {
    return [];
  }

  resolveView(): undefined {
    return undefined;
  }

  async stats(ns: Namespace) {
    this.#note('stats', ns);
    const kept = this.#find(ns);
    const size = this.loadedSize(ns);
    const indexSizes = new Map((kept?.info.indexes ?? []).map(({ name }) => [name, 100] as const));
    return { count: kept?.docs.length ?? 0, size, indexSizes, indexKeys: new Map<string, number>(), cached: size };
  }

  async checkIndexes() {
    return { missing: [], extra: [] };
  }

  indexUses(): ReadonlyMap<string, IndexUse> {
    return new Map();
  }

  loadedSize(ns: Namespace): number {
    return (this.#find(ns)?.docs ?? []).reduce((sum, each) => sum + encode(each).length, 0);
  }

  async createCollection(ns: Namespace, options: Doc): Promise<void> {
    this.#note('createCollection', ns, options);
    const existing = this.#find(ns);
    if (existing && !equal(existing.info.options, options)) {
      throw new CodedError(
        'NamespaceExists',
        `namespace ${ns.db}.${ns.coll} already exists, but with different options`,
      );
    }
    this.#ensure(ns, options);
  }

  async modifyCollection(): Promise<never> {
    throw new CodedError('NotImplemented', 'collMod is tested on the engine itself');
  }

  async dropCollection(ns: Namespace): Promise<CollectionInfo | undefined> {
    const kept = this.#find(ns);
    this.#kept.delete(key(ns));
    return kept?.info;
  }

  async dropDatabase(db: string): Promise<void> {
    for (const { ns } of this.collections(db)) this.#kept.delete(key(ns));
  }

  async renameCollection(from: Namespace, to: Namespace, dropTarget: boolean): Promise<void> {
    const kept = this.#find(from);
    if (!kept) throw new CodedError('NamespaceNotFound', `Source collection ${key(from)} does not exist`);
    if (this.#find(to) && !dropTarget) throw new CodedError('NamespaceExists', 'target namespace exists');
    this.#kept.delete(key(from));
    this.#kept.set(key(to), { docs: kept.docs, info: { ...kept.info, ns: to } });
  }

  async createIndexes(ns: Namespace, specs: readonly Doc[]) {
    this.#note('createIndexes', ns, specs);
    const createdCollection = !this.#find(ns);
    const kept = this.#ensure(ns);
    const before = kept.info.indexes.length;
    const missing = specs.map(indexSpec).filter(({ name }) => !kept.info.indexes.some((each) => each.name === name));
    kept.info = { ...kept.info, indexes: [...kept.info.indexes, ...missing] };
    return { before, after: kept.info.indexes.length, createdCollection };
  }

  async convertToCapped(): Promise<never> {
    throw new CodedError('NotImplemented', 'convertToCapped is tested on the engine itself');
  }

  async compact(ns: Namespace): Promise<boolean> {
    this.#note('compact', ns);
    return true;
  }

  async dropIndexes(ns: Namespace, which: string | readonly string[] | Doc): Promise<number> {
    this.#note('dropIndexes', ns, which);
    const kept = this.#ensure(ns);
    const before = kept.info.indexes.length;
    if (typeof which === 'string' && which !== '*' && !kept.info.indexes.some(({ name }) => name === which)) {
      throw new CodedError('IndexNotFound', `index not found with name [${which}]`);
    }
    kept.info = { ...kept.info, indexes: kept.info.indexes.filter(({ name }) => name === '_id_') };
    return before;
  }

  async insert(ns: Namespace, docs: readonly Uint8Array[], options: WriteOptions): Promise<WriteResult> {
    this.#note('insert', ns, docs, options);
    const kept = this.#ensure(ns);
    const errors = [];
    let n = 0;
    for (const [index, bytes] of docs.entries()) {
      const given = decode(bytes);
      const id = given.has('_id') ? given.get('_id') : newObjectId(this.#env);
      if (kept.docs.some((each) => equal(each.get('_id') as Value, id as Value))) {
        const text = `E11000 duplicate key error collection: ${key(ns)} index: _id_ dup key: { _id: ${String(id)} }`;
        const details: [string, unknown][] = [
          ['keyPattern', doc({ _id: 1 })],
          ['keyValue', doc({ _id: id })],
        ];
        errors.push({ index, error: new CodedError('DuplicateKey', text, details) });
        if (options.ordered) break;
        continue;
      }
      kept.docs.push(new Map([['_id', id as Value], ...given]));
      n++;
    }
    return this.#result({ n, errors });
  }

  async update(ns: Namespace, statements: readonly UpdateStatement[], options: WriteOptions): Promise<WriteResult> {
    this.#note('update', ns, statements, options);
    const kept = this.#ensure(ns);
    const upserted = [];
    let n = 0;
    for (const [index, { filter, update, multi, upsert }] of statements.entries()) {
      const found = kept.docs.filter((each) => matches(filter, each)).slice(0, multi ? undefined : 1);
      for (const each of found) kept.docs[kept.docs.indexOf(each)] = changed(each, update);
      n += found.length;
      if (found.length > 0 || !upsert) continue;
      const made = changed(new Map([['_id', newObjectId(this.#env) as Value], ...filter]), update);
      kept.docs.push(made);
      upserted.push({ index, id: made.get('_id') as Value });
      n++;
    }
    return this.#result({ n, nModified: n - upserted.length, upserted });
  }

  async bulkWrite(): Promise<never> {
    throw new CodedError('NotImplemented', 'bulkWrite is tested on the engine itself');
  }

  async delete(ns: Namespace, statements: readonly DeleteStatement[], options: WriteOptions): Promise<WriteResult> {
    this.#note('delete', ns, statements, options);
    const kept = this.#ensure(ns);
    const before = kept.docs.length;
    for (const { filter, limit } of statements) {
      const gone = kept.docs.filter((each) => matches(filter, each)).slice(0, limit || undefined);
      kept.docs = kept.docs.filter((each) => !gone.includes(each));
    }
    return this.#result({ n: before - kept.docs.length });
  }

  async findAndModify(ns: Namespace, statement: FindAndModify, options: WriteOptions) {
    this.#note('findAndModify', ns, statement, options);
    const kept = this.#ensure(ns);
    const found = kept.docs.find((each) => matches(statement.filter, each));
    const { durable } = this;
    if (!found) return { value: null, n: 0, updatedExisting: false, durable } as const;
    const at = kept.docs.indexOf(found);
    const after = statement.update && changed(found, statement.update);
    kept.docs.splice(at, 1, ...(after ? [after] : []));
    const value = encode(statement.returnNew && after ? after : found);
    return { value, n: 1, updatedExisting: after !== undefined, durable } as const;
  }

  async find(ns: Namespace, query: FindQuery): Promise<DocCursor> {
    this.#note('find', ns, query);
    const found = (this.#find(ns)?.docs ?? []).filter((each) => matches(query.filter, each));
    return this.#cursor(found.slice(query.skip, query.limit > 0 ? query.skip + query.limit : undefined).map(encode));
  }

  async count(ns: Namespace, query: FindQuery): Promise<number> {
    this.#note('count', ns, query);
    const found = (this.#find(ns)?.docs ?? []).filter((each) => matches(query.filter, each));
    return found.slice(query.skip, query.limit > 0 ? query.skip + query.limit : undefined).length;
  }

  async distinct(ns: Namespace, path: string, query: FindQuery): Promise<Value[]> {
    this.#note('distinct', ns, path, query);
    const values: Value[] = [];
    for (const each of this.#find(ns)?.docs ?? []) {
      const value = each.get(path);
      if (each.has(path) && !values.some((other) => equal(other, value))) values.push(value);
    }
    return values;
  }

  async aggregate(ns: Namespace, pipeline: readonly Doc[], query: Pick<FindQuery, 'read' | 'context' | 'hint'>) {
    this.#note('aggregate', ns, pipeline, query);
    const match = pipeline[0]?.get('$match');
    const filter: Doc = match instanceof Map ? match : new Map();
    return this.#cursor((this.#find(ns)?.docs ?? []).filter((each) => matches(filter, each)).map(encode));
  }

  async explain(ns: Namespace, query: FindQuery, explained: Explained, verbosity: string): Promise<Doc> {
    this.#note('explain', ns, query, explained, verbosity);
    const stage = explained.kind === 'find' ? 'COLLSCAN' : explained.kind.toUpperCase();
    const winningPlan = { stage, filter: query.filter };
    const queryPlanner = { namespace: key(ns), winningPlan, rejectedPlans: [] };
    const executionStats = verbosity === 'queryPlanner' ? undefined : { executionSuccess: true, nReturned: 0 };
    return doc({ explainVersion: '1', queryPlanner, executionStats });
  }

  async explainPipeline(
    ns: Namespace,
    stages: readonly Doc[],
    query: AggregateOptions,
    verbosity: string,
  ): Promise<Doc> {
    this.#note('explainPipeline', ns, stages, query, verbosity);
    return doc({ explainVersion: '1', stages });
  }

  async flush(): Promise<number> {
    return this.#kept.size;
  }

  upkeepPaused = false;
  readonly limits = defaultLimits();
  allowDiskUseByDefault = true;
  readonly ttl = { enabled: true, sleepSeconds: 60, status: { passes: 0, deletedDocuments: 0 } };

  status(): Doc {
    return doc({ fake: true });
  }

  async close(): Promise<void> {}

  #note(method: string, ...args: unknown[]): void {
    this.calls.push({ method, args });
    if (this.failure) throw this.failure;
  }

  #find(ns: Namespace): Kept | undefined {
    return this.#kept.get(key(ns));
  }

  #ensure(ns: Namespace, options: Doc = new Map()): Kept {
    const existing = this.#find(ns);
    if (existing) return existing;
    const indexes = [indexSpec(doc({ v: 2, key: { _id: 1 }, name: '_id_' }))];
    const made: Kept = { docs: [], info: { ns, uuid: uuidBytes(this.#env.random), options, indexes } };
    this.#kept.set(key(ns), made);
    return made;
  }

  #result(result: Partial<WriteResult>): WriteResult {
    return { n: 0, nModified: 0, upserted: [], errors: [], retriedStmtIds: [], durable: this.durable, ...result };
  }

  #cursor(docs: readonly Uint8Array[]): DocCursor {
    let at = 0;
    let closed = false;
    const engine = this;
    this.openCursors++;
    return {
      async next(maxDocs, maxBytes) {
        await engine.reading;
        const batch: Uint8Array[] = [];
        let bytes = 0;
        while (at < docs.length && batch.length < maxDocs) {
          bytes += docs[at]!.length;
          if (batch.length > 0 && bytes > maxBytes) break;
          batch.push(docs[at++]!);
        }
        return batch;
      },
      get exhausted() {
        return at >= docs.length;
      },
      close() {
        if (!closed) engine.openCursors--;
        closed = true;
      },
    };
  }
}

function key(ns: Namespace): string {
  return `${ns.db}.${ns.coll}`;
}

function indexSpec(spec: Doc): IndexSpec {
  return { name: String(spec.get('name')), key: spec.get('key') as Doc, unique: spec.get('unique') === true, spec };
}

function matches(filter: Doc, each: Doc): boolean {
  return [...filter].every(([name, value]) => each.has(name) && equal(each.get(name) as Value, value));
}

function changed(each: Doc, update: Doc | Doc[]): Doc {
  const set = update instanceof Map ? update.get('$set') : undefined;
  if (set instanceof Map) return new Map([...each, ...set]);
  return update instanceof Map ? new Map([['_id', each.get('_id') as Value], ...update]) : each;
}
