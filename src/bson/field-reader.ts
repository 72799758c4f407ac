import { decodeOnly } from './decode.ts';
import { bytesOfKept, type KeptDoc, KeptFinder } from './kept.ts';
import type { Doc } from './values.ts';

/** Reads some top-level fields of many documents, in the order in which they stand, and nothing else of them. */
export class FieldReader {
  readonly #names: ReadonlySet<string>;
  /** The names as they stand in a kept document. */
  readonly #kept: readonly string[];
  readonly #finder = new KeptFinder();

  constructor(names: ReadonlySet<string>) {
    this.#names = names;
    this.#kept = [...names].map((name) => Buffer.from(name).toString('latin1'));
  }

  read(content: Uint8Array | KeptDoc): Doc {
    if (typeof content !== 'string') return decodeOnly(content, this.#names);
    const doc = this.#finder.fields(content, this.#kept);
    return doc ?? decodeOnly(bytesOfKept(content), this.#names);
  }
}
