/**
 * A folder for what may be lost. Names are flat. What is written survives the death of the process; of the machine, only
 * what was synced before. Methods reject with whatever the platform says.
 */
export interface CacheDisk {
  list(): Promise<{ readonly name: string; readonly size: number }[]>;
  /** Undefined when there is none. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** In place of what is there; torn when the machine dies. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Opens a file to read and extend, and makes an empty one when there is none. */
  open(name: string): Promise<CacheDiskFile>;
  /** Durable when it resolves, with what was synced of the file. */
  rename(from: string, to: string): Promise<void>;
  /** Durable when it resolves. What is not there does no harm. */
  remove(names: readonly string[]): Promise<void>;
  /** Lets another process have the folder. */
  close(): Promise<void>;
}

export interface CacheDiskFile {
  size(): Promise<number>;
  /** Fewer bytes than `length` only at the end of the file. */
  read(position: number, length: number): Promise<Uint8Array>;
  write(position: number, bytes: Uint8Array): Promise<void>;
  truncate(length: number): Promise<void>;
  /** What has been written is durable when it resolves. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

interface Content {
  bytes: Buffer;
  /** As the disk would have it after the machine died. */
  synced: Buffer;
}

/** A disk that lives as long as the object; tests end the process or the machine on it, or spoil it. */
export class MemoryCacheDisk implements CacheDisk {
  readonly files = new Map<string, Content>();
  /** A write, sync or removal that gets an error fails with it. */
  fail: (() => Error | undefined) | undefined;

  async list(): Promise<{ name: string; size: number }[]> {
    return [...this.files].map(([name, { bytes }]) => ({ name, size: bytes.length }));
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    return this.files.get(name)?.bytes;
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    this.#check();
    this.files.set(name, { bytes: Buffer.from(bytes), synced: Buffer.alloc(0) });
  }

  async open(name: string): Promise<CacheDiskFile> {
    const content = this.files.get(name) ?? { bytes: Buffer.alloc(0), synced: Buffer.alloc(0) };
    this.files.set(name, content);
    return {
      size: async () => content.bytes.length,
      read: async (position, length) => content.bytes.subarray(position, position + length),
      write: async (position, bytes) => {
        this.#check();
        const end = Math.max(content.bytes.length, position + bytes.length);
        const grown = Buffer.alloc(end);
        content.bytes.copy(grown);
        grown.set(bytes, position);
        content.bytes = grown;
      },
      truncate: async (length) => {
        this.#check();
        content.bytes = content.bytes.subarray(0, length);
      },
      sync: async () => {
        this.#check();
        content.synced = content.bytes;
      },
      close: async () => {},
    };
  }

  async rename(from: string, to: string): Promise<void> {
    this.#check();
    const content = this.files.get(from);
    if (!content) throw new Error(`there is no file ${from}`);
    this.files.delete(from);
    this.files.set(to, content);
  }

  async remove(names: readonly string[]): Promise<void> {
    this.#check();
    for (const name of names) this.files.delete(name);
  }

  async close(): Promise<void> {}

  /** The machine dies: of what was not synced, `keep` says how many bytes are still there. */
  powerCut(keep: (unsynced: number) => number): void {
    for (const content of this.files.values()) {
      const { bytes, synced } = content;
      content.bytes = bytes.subarray(0, synced.length + keep(Math.max(0, bytes.length - synced.length)));
    }
  }

  #check(): void {
    const error = this.fail?.();
    if (error) throw error;
  }
}
