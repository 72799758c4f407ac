import { CodedError } from '../base/index.ts';
import { type Doc, encode, type Value } from '../bson/index.ts';
import type { RetryMark } from '../log/index.ts';
import { trim } from './cap.ts';
import type { RetryIdentity, StatementError, WriteOptions, WriteResult } from './contract.ts';
import type { Loaded } from './handle.ts';
import { carryOut, type Work } from './match.ts';
import { sessionKey, statementId } from './retry-table.ts';

interface Mark {
  readonly stmtId: number;
  readonly result: Doc;
}

/**
 * One write command under way: what its statements did, gathered for one commit and one answer. What it staged
 * is committed in the step that staged it (see `Collection`).
 */
export class WriteBatch {
  readonly loaded: Loaded;
  readonly options: WriteOptions;
  readonly errors: StatementError[] = [];
  readonly upserted: { index: number; id: Value }[] = [];
  readonly retriedStmtIds: number[] = [];
  n = 0;
  nModified = 0;
  readonly #session: string;
  #marks: Mark[] = [];
  #wrote = false;
  /** Its last step wrote nothing: what it saw then may be on its way behind all that it wrote. */
  #restsOnOthers = false;
  /** Of what was there before this batch inserted anything. */
  #lastRecordId: number;
  readonly #durables: Promise<void>[] = [];

  constructor(loaded: Loaded, options: WriteOptions) {
    this.loaded = loaded;
    this.options = options;
    this.#lastRecordId = loaded.collection.lastRecordId;
    this.#session = options.retry ? sessionKey(options.retry.lsid) : '';
  }

  /** What the statement answered, if it is the repetition of one that ran. */
  repeated(index: number): Doc | undefined {
    const { retry } = this.options;
    if (!retry) return undefined;
    const stmtId = statementId(retry, index);
    const executed = this.loaded.retries.find(this.#session, retry.txnNumber, stmtId);
    if (!executed) return undefined;
    this.retriedStmtIds.push(stmtId);
    this.#durables.push(executed.durable);
    return executed.result;
  }

  /** Says that statement `index` wrote, and what its repetition is to answer. */
  executed(index: number, result: () => Doc): void {
    const { retry } = this.options;
    if (retry) this.#marks.push({ stmtId: statementId(retry, index), result: result() });
  }

  /** True when the command goes on after this error. Anything but the client's own fault is thrown on. */
  failed(index: number, error: unknown): boolean {
    if (!(error instanceof CodedError)) throw error;
    this.errors.push({ index, error });
    return !this.options.ordered;
  }

  /** Does `work`, whose every step ends with a commit. */
  carryOut<T>(work: Work<T>): Promise<T> {
    return carryOut(this.loaded, work, () => {
      this.#restsOnOthers = !this.loaded.collection.dirty;
      this.#commit();
    });
  }

  #commit(): void {
    const { retry } = this.options;
    const { collection, retries, cap } = this.loaded;
    if (cap && collection.lastRecordId > this.#lastRecordId) {
      trim(collection, cap);
      this.#lastRecordId = collection.lastRecordId;
    }
    const marks = this.#marks;
    this.#marks = [];
    this.#wrote ||= collection.dirty;
    const durable = collection.commit(retry ? retryMarks(retry, marks) : []);
    // Nobody may be waiting yet; whoever asks for `result` is.
    durable.catch(() => {});
    this.#durables.push(durable);
    if (!retry) return;
    for (const { stmtId, result } of marks) retries.record(this.#session, retry.txnNumber, stmtId, { result, durable });
  }

  result(): WriteResult {
    this.#commit();
    const { log } = this.loaded.collection;
    // Nothing to do, or refused: such an answer is as durable as what it saw, which may still be on its way.
    if (!this.#wrote && this.retriedStmtIds.length === 0) this.#durables.push(log.fence());
    else if (this.#restsOnOthers) this.#durables.push(log.flush());
    const { n, nModified, upserted, errors, retriedStmtIds } = this;
    const durable = Promise.all(this.#durables).then(() => {});
    durable.catch(() => {});
    return { n, nModified, upserted, errors, retriedStmtIds, durable };
  }
}

/** Results that are the same object are encoded once: those of an insert all are. */
function retryMarks({ lsid, txnNumber }: RetryIdentity, marks: readonly Mark[]): RetryMark[] {
  const encoded = new Map<Doc, Uint8Array>();
  return marks.map(({ stmtId, result }) => {
    const bytes = encoded.get(result) ?? encode(result);
    encoded.set(result, bytes);
    return { lsid, txnNumber, stmtId, result: bytes };
  });
}
