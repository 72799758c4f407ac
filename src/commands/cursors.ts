import { CodedError, deferred, type Env, type Timer, withContext } from '../base/index.ts';
import { type Doc, RawDoc, type Value } from '../bson/index.ts';
import type { DocCursor } from '../engine/index.ts';
import type { Operation } from './operations.ts';
import { type SessionKey, showSession } from './sessions.ts';

/** Documents in a first batch whose size the client left open. */
export const DEFAULT_FIRST_BATCH = 101;
/** MongoDB's default for `cursorTimeoutMillis`: an idle cursor ends. */
const IDLE_TIMEOUT_MS = 10 * 60_000;
/** A reply holds one document of the largest size, or many smaller ones with what each costs as an array element. */
const MAX_BATCH_REPLY_BYTES = 16 * 1024 * 1024;
const MAX_BATCH_DOCS = 100_000;
/** A type byte, up to five digits and a NUL, rounded up. */
const ELEMENT_OVERHEAD_BYTES = 10;
const MAX_BATCH_BYTES = MAX_BATCH_REPLY_BYTES - MAX_BATCH_DOCS * ELEMENT_OVERHEAD_BYTES;
/** How long a getMore waits for more where the client does not say. */
const AWAIT_MS = 1000;
const MAX_OPEN_CURSORS = 100_000;

/** How a new cursor behaves. */
export interface CursorOptions {
  /** `db.coll`, as replies and getMore name it. */
  readonly ns: string;
  /** undefined: the default; 0: open the cursor without reading. */
  readonly batchSize?: number | undefined;
  /** Ends after one batch. */
  readonly singleBatch?: boolean | undefined;
  /** Ends after so many documents; 0 is never. */
  readonly limit?: number | undefined;
  readonly noTimeout?: boolean | undefined;
  readonly session?: SessionKey | undefined;
  /** Milliseconds of work that all batches together may take; 0 is no limit. */
  readonly maxTimeMS?: number | undefined;
  /** A getMore at the end waits for more. */
  readonly awaitData?: boolean | undefined;
  /** Where errors of the first batch say that they happened; undefined where there can be none. */
  readonly executing?: string | undefined;
}

/** Where errors of every other batch say that they happened (`getmore_cmd.cpp`). */
const EXECUTING_MORE = 'Executor error during getMore';

interface OpenCursor {
  readonly id: bigint;
  readonly source: DocCursor;
  readonly options: CursorOptions;
  returned: number;
  /** Milliseconds worked so far. */
  worked: number;
  /** The getMore that reads from it now. */
  user: Operation | undefined;
  idle: Timer | undefined;
}

/** The cursors that clients hold. They belong to no connection: any may read on or kill. */
export class CursorRegistry {
  /** Milliseconds; what is set counts from a cursor's next use on. */
  idleTimeoutMs = IDLE_TIMEOUT_MS;
  readonly #env: Env;
  readonly #cursors = new Map<bigint, OpenCursor>();
  #closed = false;
  /** Ends what waits for more. */
  readonly #closing = new AbortController();
  #timedOut = 0;
  #opened = 0;

  constructor(env: Env) {
    this.#env = env;
  }

  get open(): number {
    return this.#cursors.size;
  }

  get timedOut(): number {
    return this.#timedOut;
  }

  get totalOpened(): number {
    return this.#opened;
  }

  /** Reads the first batch and keeps the rest. Returns the `cursor` of the reply. */
  async begin(source: DocCursor, options: CursorOptions, operation: Operation): Promise<Doc> {
    const cursor: OpenCursor = {
      id: 0n,
      source,
      options,
      returned: 0,
      worked: 0,
      user: undefined,
      idle: undefined,
    };
    const size = options.batchSize ?? DEFAULT_FIRST_BATCH;
    const batch = await this.#read(cursor, size, operation, options.executing);
    cursor.worked = operation.elapsed;
    if (options.singleBatch || this.#isOver(cursor)) {
      source.close();
      return cursorReply('firstBatch', batch, 0n, options.ns);
    }
    return cursorReply('firstBatch', batch, this.#keep(cursor), options.ns);
  }

  /** The next batch of an open cursor: all that fits when `batchSize` is undefined or 0. */
  async more(
    id: bigint,
    ns: string,
    { batchSize, maxTimeMS }: { readonly batchSize: number | undefined; readonly maxTimeMS: number | undefined },
    session: SessionKey | undefined,
    operation: Operation,
  ): Promise<Doc> {
    const cursor = this.#cursors.get(id);
    if (!cursor) throw new CodedError('CursorNotFound', `cursor id ${id} not found`);
    checkUse(cursor, ns, session);
    if (maxTimeMS !== undefined && !cursor.options.awaitData) {
      throw new CodedError('BadValue', 'cannot set maxTimeMS on getMore command for a non-awaitData cursor');
    }
    const budget = cursor.options.maxTimeMS ?? 0;
    if (budget > 0) operation.expireIn(Math.max(0, budget - cursor.worked));
    cursor.user = operation;
    cursor.idle?.cancel();
    try {
      const batch = await this.#readOrWait(cursor, batchSize || MAX_BATCH_DOCS, operation, maxTimeMS ?? AWAIT_MS);
      cursor.worked += operation.elapsed;
      const over = this.#isOver(cursor);
      if (over) this.#drop(cursor);
      return cursorReply('nextBatch', batch, over ? 0n : id, ns);
    } catch (error) {
      this.#drop(cursor);
      throw error;
    } finally {
      cursor.user = undefined;
      if (this.#closed) this.#drop(cursor);
      else if (this.#cursors.has(id)) this.#watch(cursor);
    }
  }

  /** True when there was such a cursor. One that is being read is interrupted. */
  kill(id: bigint): boolean {
    const cursor = this.#cursors.get(id);
    if (!cursor) return false;
    cursor.user?.kill(new CodedError('CursorKilled', 'operation was interrupted because the cursor was killed'));
    this.#drop(cursor);
    return true;
  }

  killSession(session: SessionKey): void {
    for (const cursor of [...this.#cursors.values()]) {
      if (cursor.options.session === session) this.kill(cursor.id);
    }
  }

  /** Ends what is idle now and the rest when its reader is done. */
  close(): void {
    this.#closed = true;
    this.#closing.abort();
    for (const cursor of [...this.#cursors.values()]) if (!cursor.user) this.#drop(cursor);
  }

  /** Waits at the end of a tailable cursor until there is more, for `wait` milliseconds at most. */
  async #readOrWait(cursor: OpenCursor, size: number, operation: Operation, wait: number): Promise<Uint8Array[]> {
    const { source, options } = cursor;
    let batch = await this.#read(cursor, size, operation, EXECUTING_MORE);
    if (!options.awaitData || !source.changed) return batch;
    const over = deferred<void>();
    let waiting = true;
    const end = () => {
      waiting = false;
      over.resolve();
    };
    const timer = this.#env.clock.timer(wait, end);
    const signals = [operation.signal, this.#closing.signal];
    for (const signal of signals) signal.addEventListener('abort', end, { once: true });
    try {
      while (batch.length === 0 && waiting && !this.#isOver(cursor) && !this.#closed) {
        await Promise.race([source.changed(), over.promise]);
        batch = await this.#read(cursor, size, operation, EXECUTING_MORE);
      }
      return batch;
    } finally {
      timer.cancel();
      for (const signal of signals) signal.removeEventListener('abort', end);
    }
  }

  async #read(
    cursor: OpenCursor,
    batchSize: number,
    operation: Operation,
    executing: string | undefined,
  ): Promise<Uint8Array[]> {
    const { source, options } = cursor;
    const left = options.limit ? options.limit - cursor.returned : Number.POSITIVE_INFINITY;
    const size = Math.min(batchSize, left, MAX_BATCH_DOCS);
    try {
      operation.signal.throwIfAborted();
      if (size === 0) return [];
      const batch = await source.next(size, MAX_BATCH_BYTES, operation.signal);
      operation.signal.throwIfAborted();
      cursor.returned += batch.length;
      return batch;
    } catch (error) {
      source.close();
      throw executing === undefined ? error : withContext(error, executing);
    }
  }

  #isOver(cursor: OpenCursor): boolean {
    const { limit } = cursor.options;
    return cursor.source.exhausted || (limit !== undefined && limit > 0 && cursor.returned >= limit);
  }

  #keep(cursor: OpenCursor): bigint {
    if (this.#cursors.size >= MAX_OPEN_CURSORS) {
      cursor.source.close();
      throw new CodedError('ResourceExhausted', `too many open cursors: ${this.#cursors.size}`);
    }
    const kept = { ...cursor, id: this.#freshId() };
    this.#opened++;
    if (this.#closed) {
      // The client is told of a cursor that is gone already, and not that it has seen everything.
      cursor.source.close();
      return kept.id;
    }
    this.#cursors.set(kept.id, kept);
    this.#watch(kept);
    return kept.id;
  }

  #watch(cursor: OpenCursor): void {
    if (cursor.options.noTimeout) return;
    const end = () => {
      this.#timedOut++;
      this.#drop(cursor);
    };
    cursor.idle = this.#env.clock.timer(this.idleTimeoutMs, end, { unref: true });
  }

  #drop(cursor: OpenCursor): void {
    cursor.idle?.cancel();
    cursor.source.close();
    this.#cursors.delete(cursor.id);
  }

  /** A positive int64 that is in no use: clients may not guess the ids of others. */
  #freshId(): bigint {
    for (;;) {
      const bytes = this.#env.random.bytes(8);
      const id = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0) >> 1n;
      if (id !== 0n && !this.#cursors.has(id)) return id;
    }
  }
}

function checkUse(cursor: OpenCursor, ns: string, session: SessionKey | undefined): void {
  const { id, options } = cursor;
  if (options.ns !== ns) {
    throw new CodedError(
      'Unauthorized',
      `Requested getMore on namespace '${ns}', but cursor belongs to a different namespace ${options.ns}`,
    );
  }
  const owner = options.session;
  if (owner !== session) {
    const prefix = `Cannot run getMore on cursor ${id}, which was `;
    if (!owner) {
      throw new CodedError(
        'Location50736',
        `${prefix}not created in a session, in session ${showSession(session ?? '')}`,
      );
    }
    const created = `${prefix}created in session ${showSession(owner)}`;
    if (!session) throw new CodedError('Location50737', `${created}, without an lsid`);
    throw new CodedError('Location50738', `${created}, in session ${showSession(session)}`);
  }
  if (cursor.user) throw new CodedError('CursorInUse', `cursor id ${id} is already in use`);
}

function cursorReply(field: 'firstBatch' | 'nextBatch', batch: readonly Uint8Array[], id: bigint, ns: string): Doc {
  return new Map<string, Value>([
    [field, batch.map((bytes) => new RawDoc(bytes))],
    ['id', id],
    ['ns', ns],
  ]);
}

/** A cursor over documents at hand (listCollections, listIndexes). */
export function arrayCursor(docs: readonly Uint8Array[]): DocCursor {
  let at = 0;
  return {
    async next(maxDocs, maxBytes) {
      const start = at;
      for (let bytes = 0; at < docs.length && at - start < maxDocs; at++) {
        bytes += docs[at]!.length;
        if (bytes > maxBytes && at > start) break;
      }
      return docs.slice(start, at);
    },
    get exhausted() {
      return at >= docs.length;
    },
    close() {
      at = docs.length;
    },
  };
}
