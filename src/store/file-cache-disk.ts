import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DirectoryLock } from '../base/index.ts';
import type { CacheDisk, CacheDiskFile } from './cache-disk.ts';

const SAFE_NAME = /^[a-z0-9][a-z0-9.-]*$/;

/** A directory of its own, that one process holds. */
export class FileCacheDisk implements CacheDisk {
  readonly #directory: string;
  readonly #lock: DirectoryLock;

  private constructor(directory: string, lock: DirectoryLock) {
    this.#directory = directory;
    this.#lock = lock;
  }

  /** Makes the directory when there is none. Throws a `DirectoryInUseError` when another process has it open. */
  static async open(directory: string): Promise<FileCacheDisk> {
    const files = join(directory, 'files');
    await mkdir(files, { recursive: true, mode: 0o700 });
    return new FileCacheDisk(files, await DirectoryLock.take(directory));
  }

  async list(): Promise<{ name: string; size: number }[]> {
    const names = (await readdir(this.#directory)).filter((name) => SAFE_NAME.test(name));
    const sizes: { name: string; size: number }[] = [];
    for (const name of names) sizes.push({ name, size: (await stat(this.#path(name))).size });
    return sizes;
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(this.#path(name));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    await writeFile(this.#path(name), bytes, { mode: 0o600 });
  }

  async open(name: string): Promise<CacheDiskFile> {
    const path = this.#path(name);
    // Not 'a+', with which Linux ignores positions.
    await (await open(path, 'a', 0o600)).close();
    return new HandleFile(await open(path, 'r+'));
  }

  async rename(from: string, to: string): Promise<void> {
    await rename(this.#path(from), this.#path(to));
    await this.#sync();
  }

  async remove(names: readonly string[]): Promise<void> {
    for (const name of names) await rm(this.#path(name), { force: true });
    if (names.length > 0) await this.#sync();
  }

  async close(): Promise<void> {
    await this.#lock.release();
  }

  /** A file that was renamed or removed is so for good once its directory is durable. */
  async #sync(): Promise<void> {
    const directory = await open(this.#directory, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  #path(name: string): string {
    if (!SAFE_NAME.test(name)) throw new Error(`not a name of a cache file: ${JSON.stringify(name)}`);
    return join(this.#directory, name);
  }
}

class HandleFile implements CacheDiskFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    const buffer = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.#handle.read(buffer, filled, length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  }

  async write(position: number, bytes: Uint8Array): Promise<void> {
    for (let written = 0; written < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, written, bytes.length - written, position + written);
      written += bytesWritten;
    }
  }

  truncate(length: number): Promise<void> {
    return this.#handle.truncate(length);
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
