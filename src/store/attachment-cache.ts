import { crc32 } from 'node:zlib';
import type { CacheDisk } from './cache-disk.ts';
import type { Attachment, ChannelId, MessageId } from './port.ts';

const NAME = /^file-(\d+)-(\d+)-[a-z0-9][a-z0-9.]{0,99}$/;
const CHECKSUM_BYTES = 4;
/** Bytes that may wait to be written; what comes on top is not kept. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;
/** Evicting goes on to this part of the limit, so that it is not needed again at once. */
const EVICT_TO = 0.9;

/** The files of messages, each behind its CRC-32. What is missing or damaged is fetched again. */
export class AttachmentCache {
  readonly #disk: CacheDisk;
  readonly #sizes = new Map<string, number>();
  readonly #waiting = new Map<string, Uint8Array>();
  readonly #onError: (error: unknown) => void;
  #waitingBytes = 0;
  #bytes = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(disk: CacheDisk, present: readonly { name: string; size: number }[], onError: (error: unknown) => void) {
    this.#disk = disk;
    this.#onError = onError;
    for (const { name, size } of present) if (NAME.test(name)) this.#note(name, size);
  }

  /** On disk, or on its way there. */
  get bytes(): number {
    return this.#bytes;
  }

  async read(channel: ChannelId, message: MessageId, attachment: Attachment): Promise<Uint8Array | undefined> {
    const name = fileName(channel, message, attachment.name);
    const waiting = this.#waiting.get(name);
    if (waiting) return waiting;
    if (!this.#sizes.has(name)) return undefined;
    const file = await this.#attempt(() => this.#disk.read(name));
    const bytes = file?.subarray(CHECKSUM_BYTES);
    if (file && bytes?.length === attachment.size && Buffer.from(file).readUInt32LE(0) === crc32(bytes)) return bytes;
    this.#remove([name]);
    return undefined;
  }

  /** Keeps `bytes`, which nobody may change any more. */
  add(channel: ChannelId, message: MessageId, attachment: Attachment, bytes: Uint8Array): void {
    const name = fileName(channel, message, attachment.name);
    if (!NAME.test(name) || this.#sizes.has(name) || bytes.length !== attachment.size) return;
    if (this.#waitingBytes + bytes.length > WAITING_BYTES_MAX) return;
    this.#waiting.set(name, bytes);
    this.#waitingBytes += bytes.length;
    this.#note(name, CHECKSUM_BYTES + bytes.length);
    this.#later(async () => {
      const checksum = Buffer.alloc(CHECKSUM_BYTES);
      checksum.writeUInt32LE(crc32(bytes));
      try {
        if (this.#sizes.has(name)) await this.#disk.write(name, Buffer.concat([checksum, bytes]));
      } finally {
        this.#waiting.delete(name);
        this.#waitingBytes -= bytes.length;
      }
    });
  }

  /** Lets go of what a predicate on channel and message says. */
  drop(gone: (channel: ChannelId, message: MessageId) => boolean): void {
    this.#remove(
      [...this.#sizes.keys()].filter((name) => {
        const [, channel, message] = NAME.exec(name)!;
        return gone(channel!, BigInt(message!));
      }),
    );
  }

  /** Removes the files of the oldest messages until `bytes` are left, or none. */
  evict(limit: number): void {
    if (this.#bytes <= limit) return;
    const oldest = [...this.#sizes.keys()].sort((a, b) => (messageOf(a) < messageOf(b) ? -1 : 1));
    let left = this.#bytes;
    const kept = oldest.findIndex((name) => {
      if (left <= limit * EVICT_TO) return true;
      left -= this.#sizes.get(name)!;
      return false;
    });
    this.#remove(kept < 0 ? oldest : oldest.slice(0, kept));
  }

  /** Resolves when nothing waits to be written. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  #note(name: string, size: number): void {
    this.#sizes.set(name, size);
    this.#bytes += size;
  }

  #remove(names: readonly string[]): void {
    if (names.length === 0) return;
    for (const name of names) {
      this.#bytes -= this.#sizes.get(name) ?? 0;
      this.#sizes.delete(name);
    }
    this.#later(() => this.#disk.remove(names));
  }

  #later(work: () => Promise<void>): void {
    this.#writing = this.#writing.then(() => this.#attempt(work));
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.#onError(error);
      return undefined;
    }
  }
}

function fileName(channel: ChannelId, message: MessageId, attachment: string): string {
  return `file-${channel}-${message}-${attachment}`;
}

function messageOf(name: string): MessageId {
  return BigInt(NAME.exec(name)![2]!);
}
