import { crc32 } from 'node:zlib';
import type { Env } from '../base/index.ts';
import { type Deferred, deferred } from '../base/index.ts';
import type { Change } from './change.ts';
import type { Disk } from './disk.ts';

/** Changes in one frame of a rewritten journal. */
const FRAME_CHANGES = 256;
const NEWLINE = 0x0a;
/** Hexadecimal digits of the checksum and the blank behind them. */
const HEAD_LENGTH = 9;

/**
 * The order in which things happened, on disk. A frame is one line, `<crc32 in hex> <JSON array of changes>`, and is
 * what one group commit wrote: the next is written once this one is durable. So a frame may be torn only at the very
 * end, where nobody was told of it; a bad frame before a good one is damage, and opening refuses it.
 */
export class Journal {
  readonly #disk: Disk;
  readonly #env: Env;
  #open: Change[] = [];
  #then: (() => void)[] = [];
  #sealed: Deferred<void> | undefined;
  #waiting: Deferred<void> = deferred();
  #failure: unknown;

  constructor(disk: Disk, env: Env) {
    this.#disk = disk;
    this.#env = env;
  }

  /** Every change in order; cuts a torn tail off. Returns how many changes there were. */
  async replay(apply: (change: Change) => void): Promise<number> {
    let count = 0;
    let good = 0;
    let torn = false;
    for await (const { frame, end } of frames(this.#disk.readJournal())) {
      const changes = decodeFrame(frame);
      if (changes && torn) throw new Error(`the emulator's journal is damaged at byte ${good}`);
      if (!changes) {
        torn = true;
        continue;
      }
      for (const change of changes) apply(change);
      count += changes.length;
      good = end;
    }
    if (torn) {
      this.#env.log.warn({ at: good }, 'cut a torn tail off the journal of the emulator');
      await this.#disk.truncateJournal(good);
    }
    return count;
  }

  /** Writes a journal that says the same in fewer changes. */
  async rewrite(changes: Iterable<Change>): Promise<void> {
    await this.#disk.replaceJournal(encodeAll(changes));
  }

  /** Adds changes that have been applied; `then` runs once they are durable, in the order of the calls. */
  append(changes: readonly Change[], then: () => void): void {
    this.#open.push(...changes);
    this.#then.push(then);
    if (!this.#sealed) void this.#flush();
  }

  /** Resolves once all that was appended is durable; rejects for ever after a failed write. */
  async durable(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#open.length > 0) return this.#waiting.promise;
    return this.#sealed?.promise;
  }

  async #flush(): Promise<void> {
    while (this.#open.length > 0 && this.#failure === undefined) {
      const changes = this.#open;
      const then = this.#then;
      const done = this.#waiting;
      this.#open = [];
      this.#then = [];
      this.#waiting = deferred();
      this.#sealed = done;
      try {
        await this.#disk.appendJournal(encodeFrame(changes));
      } catch (error) {
        // What memory holds is ahead of the disk now, so nothing may be answered from it any more.
        this.#failure = error;
        this.#env.log.error({ err: error }, 'the journal of the emulator cannot be written');
        done.reject(error);
        this.#waiting.reject(error);
        return;
      }
      for (const run of then) run();
      done.resolve();
    }
    this.#sealed = undefined;
  }
}

function encodeFrame(changes: readonly Change[]): Uint8Array {
  const json = Buffer.from(JSON.stringify(changes));
  const checksum = crc32(json).toString(16).padStart(8, '0');
  return Buffer.concat([Buffer.from(`${checksum} `), json, Buffer.of(NEWLINE)]);
}

function* encodeAll(changes: Iterable<Change>): Generator<Uint8Array> {
  let frame: Change[] = [];
  for (const change of changes) {
    if (frame.push(change) < FRAME_CHANGES) continue;
    yield encodeFrame(frame);
    frame = [];
  }
  if (frame.length > 0) yield encodeFrame(frame);
}

function decodeFrame(frame: Buffer): Change[] | undefined {
  const json = frame.subarray(HEAD_LENGTH);
  const checksum = crc32(json).toString(16).padStart(8, '0');
  if (frame.length <= HEAD_LENGTH || frame.toString('latin1', 0, HEAD_LENGTH) !== `${checksum} `) return undefined;
  return JSON.parse(json.toString()) as Change[];
}

/** Lines with the place where each ends; a last line without its end comes as an empty frame. */
async function* frames(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<{ frame: Buffer; end: number }> {
  let parts: Uint8Array[] = [];
  let end = 0;
  for await (const piece of pieces) {
    let start = 0;
    for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, start)) {
      parts.push(piece.subarray(start, at));
      const frame = Buffer.concat(parts);
      end += frame.length + 1;
      yield { frame, end };
      parts = [];
      start = at + 1;
    }
    if (start < piece.length) parts.push(piece.subarray(start));
  }
  if (parts.length > 0) yield { frame: Buffer.alloc(0), end };
}
