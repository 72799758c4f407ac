import { existsSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DirectoryLock } from '../base/index.ts';
import type { Disk } from './disk.ts';

const READ_PIECE_BYTES = 1 << 20;
const JOURNAL = 'journal';
const SAFE_NAME = /^\d+$/;

/** A directory with the file `journal`, a folder `blobs`, and a lock that one process holds. */
export class FileDisk implements Disk {
  readonly #directory: string;
  readonly #lock: DirectoryLock;
  #journal: FileHandle;

  private constructor(directory: string, lock: DirectoryLock, journal: FileHandle) {
    this.#directory = directory;
    this.#lock = lock;
    this.#journal = journal;
  }

  /** Whether there is something to open. */
  static holdsData(directory: string): boolean {
    return existsSync(join(directory, JOURNAL));
  }

  /** Makes the directory when there is none. Throws when another process has it open. */
  static async open(directory: string): Promise<FileDisk> {
    await mkdir(join(directory, 'blobs'), { recursive: true });
    const lock = await DirectoryLock.take(directory);
    try {
      const journal = await open(join(directory, JOURNAL), 'a+');
      await syncDirectory(directory);
      return new FileDisk(directory, lock, journal);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  async *readJournal(): AsyncIterable<Uint8Array> {
    for (let position = 0; ; ) {
      const piece = Buffer.allocUnsafe(READ_PIECE_BYTES);
      const { bytesRead } = await this.#journal.read(piece, 0, piece.length, position);
      if (bytesRead === 0) return;
      yield piece.subarray(0, bytesRead);
      position += bytesRead;
    }
  }

  async appendJournal(bytes: Uint8Array): Promise<void> {
    await this.#journal.appendFile(bytes);
    await this.#journal.datasync();
  }

  async truncateJournal(length: number): Promise<void> {
    await this.#journal.truncate(length);
    await this.#journal.sync();
  }

  async replaceJournal(pieces: Iterable<Uint8Array>): Promise<void> {
    const fresh = join(this.#directory, 'journal.new');
    await writeDurably(fresh, pieces);
    await rename(fresh, join(this.#directory, JOURNAL));
    await syncDirectory(this.#directory);
    const old = this.#journal;
    this.#journal = await open(join(this.#directory, JOURNAL), 'a+');
    await old.close();
  }

  async writeBlob(name: string, bytes: Uint8Array): Promise<void> {
    await writeDurably(this.#blob(name), [bytes]);
    await syncDirectory(join(this.#directory, 'blobs'));
  }

  async readBlob(name: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(this.#blob(name));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async deleteBlob(name: string): Promise<void> {
    await rm(this.#blob(name), { force: true });
  }

  async blobs(): Promise<string[]> {
    return (await readdir(join(this.#directory, 'blobs'))).filter((name) => SAFE_NAME.test(name));
  }

  async close(): Promise<void> {
    await this.#journal.close();
    await this.#lock.release();
  }

  #blob(name: string): string {
    if (!SAFE_NAME.test(name)) throw new Error(`not a blob name: ${name}`);
    return join(this.#directory, 'blobs', name);
  }
}

async function writeDurably(path: string, pieces: Iterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (const piece of pieces) await file.appendFile(piece);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A new or renamed file is durable once its directory is. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
