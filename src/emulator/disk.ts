/**
 * Where the emulator keeps what it must not lose: a journal, and blobs by name. A promise that resolves means durable:
 * what it wrote survives the death of the process and of the machine.
 */
export interface Disk {
  /** The journal from its beginning, in pieces of any size. */
  readJournal(): AsyncIterable<Uint8Array>;
  appendJournal(bytes: Uint8Array): Promise<void>;
  /** Cuts off what follows the first `length` bytes. */
  truncateJournal(length: number): Promise<void>;
  /** Puts another journal in the place of this one, as a whole or not at all. */
  replaceJournal(pieces: Iterable<Uint8Array>): Promise<void>;
  writeBlob(name: string, bytes: Uint8Array): Promise<void>;
  readBlob(name: string): Promise<Uint8Array | undefined>;
  /** Succeeds when there is none. */
  deleteBlob(name: string): Promise<void>;
  blobs(): Promise<string[]>;
  close(): Promise<void>;
}

/** A disk that lives as long as the object: for tests, which may open it again after a "crash". */
export class MemoryDisk implements Disk {
  #journal: Uint8Array[] = [];
  readonly #blobs = new Map<string, Uint8Array>();

  async *readJournal(): AsyncIterable<Uint8Array> {
    yield* this.#journal;
  }

  async appendJournal(bytes: Uint8Array): Promise<void> {
    this.#journal.push(Uint8Array.from(bytes));
  }

  async truncateJournal(length: number): Promise<void> {
    this.#journal = [Buffer.concat(this.#journal).subarray(0, length)];
  }

  async replaceJournal(pieces: Iterable<Uint8Array>): Promise<void> {
    this.#journal = [...pieces];
  }

  async writeBlob(name: string, bytes: Uint8Array): Promise<void> {
    this.#blobs.set(name, Uint8Array.from(bytes));
  }

  async readBlob(name: string): Promise<Uint8Array | undefined> {
    return this.#blobs.get(name);
  }

  async deleteBlob(name: string): Promise<void> {
    this.#blobs.delete(name);
  }

  async blobs(): Promise<string[]> {
    return [...this.#blobs.keys()];
  }

  async close(): Promise<void> {}
}
