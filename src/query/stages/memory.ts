import { CodedError } from '../../base/index.ts';
import { type Doc, encode } from '../../bson/index.ts';
import type { PipelineContext } from '../types.ts';

/** What a blocking stage may hold where the client has forbidden the disk, as in MongoDB. */
const MEMORY_BYTES = 100 * 1024 * 1024;

/** Counts what a stage holds of documents; of nothing where it may hold what it likes. */
export class Held {
  readonly #limit: number;
  readonly #message: (limit: number) => string;
  #bytes = 0;

  constructor({ allowDiskUse, memoryLimit = MEMORY_BYTES }: PipelineContext, message: (limit: number) => string) {
    this.#limit = allowDiskUse === false ? memoryLimit : Number.POSITIVE_INFINITY;
    this.#message = message;
  }

  /** Throws QueryExceededMemoryLimitNoDiskUseAllowed. */
  add(doc: Doc): void {
    if (this.#limit === Number.POSITIVE_INFINITY) return;
    this.#bytes += encode(doc).length;
    if (this.#bytes <= this.#limit) return;
    throw new CodedError('QueryExceededMemoryLimitNoDiskUseAllowed', this.#message(this.#limit));
  }

  /** After some have been let go. */
  recount(docs: readonly Doc[]): void {
    this.#bytes = 0;
    for (const doc of docs) this.add(doc);
  }
}
