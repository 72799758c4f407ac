import { type Clock, type Random, randomInt, sleep } from '../../../src/base/index.ts';
import type { CacheDisk, CacheDiskFile, MemoryCacheDisk } from '../../../src/store/index.ts';

const FOR_EVER = new Promise<never>(() => {});

/** A disk as one process has it: slow, and what is being written when the process dies is torn anywhere. */
export class MortalDisk implements CacheDisk {
  readonly #disk: MemoryCacheDisk;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #torn = new Set<() => void>();
  #dead = false;

  constructor(disk: MemoryCacheDisk, clock: Clock, random: Random) {
    this.#disk = disk;
    this.#clock = clock;
    this.#random = random;
  }

  die(): void {
    this.#dead = true;
    for (const tear of this.#torn) tear();
  }

  list = () => this.#disk.list();
  read = (name: string) => this.#disk.read(name);
  rename = (from: string, to: string) => this.#do(() => this.#disk.rename(from, to));
  remove = (names: readonly string[]) => this.#do(() => this.#disk.remove(names));
  close = () => this.#disk.close();

  write(name: string, bytes: Uint8Array): Promise<void> {
    const torn = () => void this.#disk.write(name, this.#part(bytes));
    return this.#do(() => this.#disk.write(name, bytes), torn);
  }

  async open(name: string): Promise<CacheDiskFile> {
    const file = await this.#disk.open(name);
    return {
      ...file,
      write: (position, bytes) => {
        const torn = () => void file.write(position, this.#part(bytes));
        return this.#do(() => file.write(position, bytes), torn);
      },
      truncate: (length) => this.#do(() => file.truncate(length)),
      sync: () => this.#do(() => file.sync()),
    };
  }

  async #do(work: () => Promise<void>, tear: () => void = () => {}): Promise<void> {
    if (this.#dead) return FOR_EVER;
    this.#torn.add(tear);
    await sleep(this.#clock, randomInt(this.#random, 30));
    this.#torn.delete(tear);
    return this.#dead ? FOR_EVER : work();
  }

  #part(bytes: Uint8Array): Uint8Array {
    return bytes.subarray(0, randomInt(this.#random, bytes.length + 1));
  }
}
