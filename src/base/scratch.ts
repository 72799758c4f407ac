import { createCipheriv } from 'node:crypto';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { assert } from './assert.ts';
import { CodedError } from './coded-error.ts';
import type { Random } from './random.ts';

/** Room outside memory for what does not last longer than the work it is for. */
export interface Scratch {
  /** How many bytes may be held in memory instead; absent: as many as MongoDB holds. */
  readonly threshold?: number | undefined;
  file(): ScratchFile;
}

/** Chunks, kept in order. Nothing of it is left after `close`, which may come at any time, and more than once. */
export interface ScratchFile {
  /** Rejects with OutOfDiskSpace where the disk is full. */
  append(chunk: Uint8Array): Promise<void>;
  /** The chunk that was appended `number` chunks after the first. */
  read(number: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

const CIPHER = 'aes-256-ctr';
const KEY_BYTES = 32;
const IV_BYTES = 16;

/**
 * Files in a folder of their own, which is emptied when a process begins. They are enciphered with keys that nobody
 * keeps: what stays behind after a crash says nothing, also where the data itself is sealed.
 */
export class FolderScratch implements Scratch {
  readonly #folder: string;
  readonly #random: Random;
  #files = 0;

  private constructor(folder: string, random: Random) {
    this.#folder = folder;
    this.#random = random;
  }

  static async open(folder: string, random: Random): Promise<FolderScratch> {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new FolderScratch(folder, random);
  }

  file(): ScratchFile {
    return new EncipheredFile(join(this.#folder, `${++this.#files}.tmp`), this.#random.bytes(KEY_BYTES));
  }
}

class EncipheredFile implements ScratchFile {
  readonly #path: string;
  readonly #key: Uint8Array;
  readonly #chunks: { readonly at: number; readonly length: number }[] = [];
  #handle: Promise<FileHandle> | undefined;
  #size = 0;
  #closed: Promise<void> | undefined;

  constructor(path: string, key: Uint8Array) {
    this.#path = path;
    this.#key = key;
  }

  async append(chunk: Uint8Array): Promise<void> {
    assert(!this.#closed, 'a closed file takes nothing');
    const place = { at: this.#size, length: chunk.length };
    const enciphered = this.#turn(this.#chunks.push(place) - 1, chunk);
    this.#size += chunk.length;
    try {
      this.#handle ??= open(this.#path, 'wx+', 0o600);
      const handle = await this.#handle;
      // A disk may take less than it is given.
      for (let done = 0; done < enciphered.length; ) {
        const { bytesWritten } = await handle.write(enciphered, done, enciphered.length - done, place.at + done);
        done += bytesWritten;
      }
    } catch (error) {
      throw isDiskFull(error) ? new CodedError('OutOfDiskSpace', `No space left on device: ${this.#path}`) : error;
    }
  }

  async read(number: number): Promise<Uint8Array> {
    const place = this.#chunks[number];
    assert(place && this.#handle && !this.#closed, 'what is read was appended');
    const bytes = Buffer.allocUnsafe(place.length);
    const { bytesRead } = await (await this.#handle).read(bytes, 0, place.length, place.at);
    assert(bytesRead === place.length, 'a chunk is read whole');
    return this.#turn(number, bytes);
  }

  close(): Promise<void> {
    this.#closed ??= this.#remove();
    return this.#closed;
  }

  async #remove(): Promise<void> {
    // A file that could not be opened is not there, and whoever wrote to it knows.
    const handle = await this.#handle?.catch(() => undefined);
    if (!handle) return;
    await handle.close();
    await rm(this.#path, { force: true });
  }

  /** Enciphers and deciphers: the counter of each chunk begins far above the blocks of the one before. */
  #turn(number: number, bytes: Uint8Array): Buffer {
    const iv = Buffer.alloc(IV_BYTES);
    iv.writeUInt32BE(number);
    return createCipheriv(CIPHER, this.#key, iv).update(bytes);
  }
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOSPC';
}

/** In memory, for tests. */
export class MemoryScratch implements Scratch {
  /** Files that are not closed. */
  open = 0;
  /** Chunks written so far. */
  written = 0;
  /** How many chunks it takes. */
  room = Number.POSITIVE_INFINITY;
  readonly threshold: number;

  constructor(threshold: number) {
    this.threshold = threshold;
  }

  file(): ScratchFile {
    const chunks: Uint8Array[] = [];
    let closed = false;
    this.open++;
    return {
      append: async (chunk) => {
        assert(!closed, 'a closed file takes nothing');
        if (this.written >= this.room) throw new CodedError('OutOfDiskSpace', 'No space left on device');
        this.written++;
        chunks.push(Uint8Array.from(chunk));
      },
      read: async (number) => chunks[number]!,
      close: async () => {
        if (!closed) this.open--;
        closed = true;
      },
    };
  }
}
