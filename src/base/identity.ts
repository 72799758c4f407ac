import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DirectoryLock } from './directory-lock.ts';
import type { Random } from './random.ts';

const INSTANCE_BYTES = 16;
const INSTANCE_FORM = /^[0-9a-f]{32}$/;

/**
 * A folder with a name of its own that one process at a time holds: who holds it now knows that whoever held it before
 * is dead. Throws a DirectoryInUseError while another process holds it.
 */
export class Identity {
  /** 32 hexadecimal digits, the same for every process that holds the folder. */
  readonly instance: string;
  readonly #lock: DirectoryLock;

  private constructor(instance: string, lock: DirectoryLock) {
    this.instance = instance;
    this.#lock = lock;
  }

  static async take(directory: string, random: Random): Promise<Identity> {
    await mkdir(directory, { recursive: true });
    const lock = await DirectoryLock.take(directory);
    try {
      return new Identity(await readOrWrite(join(directory, 'instance'), random), lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  async release(): Promise<void> {
    await this.#lock.release();
  }
}

/** A name that is missing, or was torn by a crash, is made anew: then the former owner's lease must run out. */
async function readOrWrite(file: string, random: Random): Promise<string> {
  const known = await readFile(file, 'utf8').catch(() => '');
  if (INSTANCE_FORM.test(known.trim())) return known.trim();
  const made = Buffer.from(random.bytes(INSTANCE_BYTES)).toString('hex');
  await writeFile(file, `${made}\n`);
  return made;
}
