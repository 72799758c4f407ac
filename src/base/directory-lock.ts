import { link, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Directories that this process holds: a lock file with our own id in it is stale unless named here. */
const held = new Set<string>();

/** Attempts at a lock whose holder is dead, when several processes find that at once. */
const MAX_ATTEMPTS = 5;

/** Thrown when a living process holds the directory; its message is for the user. */
export class DirectoryInUseError extends Error {
  override readonly name = 'DirectoryInUseError';
}

/** The file `lock` with a process id in it: one process may use a directory, and a dead one's lock is taken over. */
export class DirectoryLock {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async take(path: string): Promise<DirectoryLock> {
    const directory = await realpath(path);
    if (held.has(directory)) throw inUse(directory, process.pid);
    held.add(directory);
    const own = join(directory, `lock.${process.pid}`);
    try {
      await writeFile(own, `${process.pid}\n`);
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        if (await linkIfAbsent(own, join(directory, 'lock'))) return new DirectoryLock(directory);
        await removeStale(directory);
      }
      throw new DirectoryInUseError(`could not lock ${directory}: several processes are starting on it at once`);
    } catch (error) {
      held.delete(directory);
      throw error;
    } finally {
      await rm(own, { force: true });
    }
  }

  async release(): Promise<void> {
    await rm(join(this.#directory, 'lock'), { force: true });
    held.delete(this.#directory);
  }
}

/** A hard link appears with its content or not at all, and only where nothing is. */
async function linkIfAbsent(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/**
 * Moves the lock of a dead process aside. Between reading it and moving it another starter may have put its own lock
 * there, so what was moved is looked at again, and put back when its holder lives.
 */
async function removeStale(directory: string): Promise<void> {
  const lock = join(directory, 'lock');
  const holder = await readHolder(lock);
  if (holder === undefined) return;
  if (isAlive(holder)) throw inUse(directory, holder);
  const aside = join(directory, `lock.stale.${process.pid}`);
  try {
    await rename(lock, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  const moved = await readHolder(aside);
  if (moved !== undefined && isAlive(moved)) await linkIfAbsent(aside, lock);
  await rm(aside, { force: true });
}

async function readHolder(path: string): Promise<number | undefined> {
  try {
    return Number.parseInt(await readFile(path, 'utf8'), 10);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

function inUse(directory: string, pid: number): DirectoryInUseError {
  return new DirectoryInUseError(
    `${directory} is in use by process ${pid}. Stop it, or choose another directory. If that process has nothing to do with DiscoDB, remove the file "lock" there.`,
  );
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
