import { type Deferred, deferred } from '../base/index.ts';
import type { CacheDisk, CacheDiskFile } from './cache-disk.ts';
import { FRAME_HEADER_BYTES, frame, unframe } from './cache-frame.ts';

const PREAMBLE = Buffer.from('discodb cache 1\n');
const READ_PIECE_BYTES = 1 << 20;
/** Bytes that one write takes along. */
const WRITE_BYTES_MAX = 4 << 20;
/** Frames that stand this near are read together. */
const READ_GAP_BYTES = 4096;

/** A frame in a file, or on its way there. */
export interface Place {
  /** Of its first byte; meaningless while `body` is there. */
  position: number;
  /** With its header. */
  readonly length: number;
  /** Until it is written. */
  body: Buffer | undefined;
}

/** The file is not what was written to it. */
export class CacheDamage extends Error {
  override readonly name = 'CacheDamage';
}

/**
 * A file of frames that only grows. Writing is done in the background, in order, a batch at a time; `sync` makes what
 * was appended durable. After the first error nothing is written any more, and `sync` rejects.
 */
export class CacheFile {
  readonly #disk: CacheDisk;
  readonly #name: string;
  #file: CacheDiskFile;
  #end = 0;
  #queue: Place[] = [];
  #syncs: Deferred<void>[] = [];
  #rewrite: (() => Iterable<Place>) | undefined;
  #working: Promise<void> | undefined;
  readonly #reads = new Set<Promise<unknown>>();
  #failed: unknown;

  private constructor(disk: CacheDisk, name: string, file: CacheDiskFile) {
    this.#disk = disk;
    this.#name = name;
    this.#file = file;
  }

  /**
   * Hands every frame to `visit`, in order. A frame that is cut off ends the file, as it does when a process dies while
   * it writes; a file that is damaged otherwise rejects with `CacheDamage`: what a damaged frame took back is not known.
   */
  static async open(disk: CacheDisk, name: string, visit: (body: Buffer, place: Place) => void): Promise<CacheFile> {
    const file = await disk.open(name);
    const cache = new CacheFile(disk, name, file);
    try {
      await cache.#load(visit);
    } catch (error) {
      await file.close();
      throw error;
    }
    return cache;
  }

  /** Bytes in the file when all is written. */
  get bytes(): number {
    return this.#queue.reduce((sum, { length }) => sum + length, this.#end);
  }

  /** Nothing is written any more. */
  get failed(): boolean {
    return this.#failed !== undefined;
  }

  append(body: Buffer): Place {
    const place = newPlace(body);
    if (this.#failed) return place;
    this.#queue.push(place);
    this.#work();
    return place;
  }

  /** The bodies of frames, in the order given. */
  async read(places: readonly Place[]): Promise<Buffer[]> {
    const reading = this.#read(places);
    this.#reads.add(reading);
    try {
      return await reading;
    } finally {
      this.#reads.delete(reading);
    }
  }

  /** Resolves when all that was appended before is durable. */
  sync(): Promise<void> {
    if (this.#failed) return Promise.reject(this.#failed);
    const done = deferred();
    this.#syncs.push(done);
    this.#work();
    return done.promise;
  }

  /** Puts a new file in place of this one. `image`, asked for once, says all that is to be kept. */
  rewrite(image: () => Iterable<Place>): void {
    this.#rewrite = image;
    this.#work();
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    while (this.#working) await this.#working;
    await Promise.allSettled(this.#reads);
    await this.#file.close();
  }

  async #read(places: readonly Place[]): Promise<Buffer[]> {
    const bodies = new Map<Place, Buffer>();
    for (const place of places) if (place.body) bodies.set(place, place.body);
    const written = places.filter((place) => !place.body).sort((a, b) => a.position - b.position);
    const file = this.#file;
    for (const run of runs(written)) {
      const [start, last] = [run[0]!.position, run.at(-1)!];
      const bytes = await file.read(start, last.position + last.length - start);
      // Meanwhile a rewrite may have put the frames elsewhere.
      if (file !== this.#file) return this.#read(places);
      for (const place of run) {
        const body = unframe(Buffer.from(bytes.subarray(place.position - start).subarray(0, place.length)));
        if (!(body instanceof Buffer))
          throw new CacheDamage(`a frame at ${place.position} of ${this.#name} is ${body}`);
        bodies.set(place, body);
      }
    }
    return places.map((place) => bodies.get(place)!);
  }

  async #load(visit: (body: Buffer, place: Place) => void): Promise<void> {
    const size = await this.#file.size();
    const preamble = await this.#file.read(0, PREAMBLE.length);
    if (size < PREAMBLE.length) {
      await this.#file.write(0, PREAMBLE);
    } else if (Buffer.compare(preamble, PREAMBLE) !== 0) {
      throw new CacheDamage(`${this.#name} is no cache file of this version`);
    }
    this.#end = PREAMBLE.length;
    let rest: Buffer = Buffer.alloc(0);
    for (let position = this.#end; position < size; ) {
      const piece = await this.#file.read(position, READ_PIECE_BYTES);
      position += piece.length;
      rest = this.#scan(Buffer.concat([rest, piece]), visit);
      if (piece.length === 0) break;
    }
    if (size > this.#end) await this.#file.truncate(this.#end);
  }

  #scan(bytes: Buffer, visit: (body: Buffer, place: Place) => void): Buffer {
    let start = 0;
    for (;;) {
      const body = unframe(bytes.subarray(start));
      if (body === 'torn') return bytes.subarray(start);
      if (body === 'damaged') throw new CacheDamage(`${this.#name} is damaged at ${this.#end}`);
      const length = FRAME_HEADER_BYTES + body.length;
      visit(body, { position: this.#end, length, body: undefined });
      this.#end += length;
      start += length;
    }
  }

  #work(): void {
    if (this.#working || this.#failed) return;
    const done = () => {
      this.#working = undefined;
      if (this.#queue.length > 0 || this.#syncs.length > 0 || this.#rewrite) this.#work();
    };
    this.#working = this.#step().then(done, (error) => {
      this.#working = undefined;
      this.#failed = error;
      for (const waiting of this.#syncs.splice(0)) waiting.reject(error);
    });
  }

  async #step(): Promise<void> {
    // What is appended in the same turn goes along.
    await Promise.resolve();
    if (this.#rewrite) await this.#replace();
    const syncs = this.#syncs.splice(0);
    try {
      while (this.#queue.length > 0) await this.#write(this.#queue);
      if (syncs.length > 0) await this.#file.sync();
    } catch (error) {
      for (const waiting of syncs) waiting.reject(error);
      throw error;
    }
    for (const waiting of syncs) waiting.resolve();
  }

  async #write(queue: Place[]): Promise<void> {
    let bytes = 0;
    let count = 0;
    while (count < queue.length && (count === 0 || bytes + queue[count]!.length <= WRITE_BYTES_MAX)) {
      bytes += queue[count++]!.length;
    }
    const batch = queue.slice(0, count);
    await this.#file.write(this.#end, Buffer.concat(batch.map(({ body }) => frame(body!))));
    queue.splice(0, count);
    for (const place of batch) {
      place.position = this.#end;
      place.body = undefined;
      this.#end += place.length;
    }
  }

  /** The image holds what waits in the queue too, so that this is done with. */
  async #replace(): Promise<void> {
    const places = [...this.#rewrite!()];
    this.#rewrite = undefined;
    this.#queue = [];
    const name = `${this.#name}.new`;
    await this.#disk.remove([name]);
    const file = await this.#disk.open(name);
    await file.write(0, PREAMBLE);
    const positions: number[] = [];
    let end = PREAMBLE.length;
    for (let start = 0; start < places.length; ) {
      const some = places.slice(start, start + batchSize(places, start));
      const bytes = Buffer.concat((await this.read(some)).map(frame));
      await file.write(end, bytes);
      for (const { length } of some) {
        positions.push(end);
        end += length;
      }
      start += some.length;
    }
    await file.sync();
    await this.#disk.rename(name, this.#name);
    const old = this.#file;
    this.#file = file;
    this.#end = end;
    for (const [at, place] of places.entries()) {
      place.position = positions[at]!;
      place.body = undefined;
    }
    await Promise.allSettled(this.#reads);
    await old.close();
  }
}

export function newPlace(body: Buffer): Place {
  return { position: 0, length: FRAME_HEADER_BYTES + body.length, body };
}

/** How many of the places from `start` on one write takes. */
function batchSize(places: readonly Place[], start: number): number {
  let count = 1;
  let bytes = places[start]!.length;
  for (let next = places[start + 1]; next && bytes + next.length <= WRITE_BYTES_MAX; next = places[start + count]) {
    bytes += next.length;
    count++;
  }
  return count;
}

/** Places that one read can bring. */
function* runs(sorted: readonly Place[]): Generator<Place[], void, void> {
  let run: Place[] = [];
  for (const place of sorted) {
    const last = run.at(-1);
    const far = last && place.position > last.position + last.length + READ_GAP_BYTES;
    const much = last && place.position + place.length - run[0]!.position > READ_PIECE_BYTES;
    if (far || much) {
      yield run;
      run = [];
    }
    run.push(place);
  }
  if (run.length > 0) yield run;
}
