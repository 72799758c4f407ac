import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { BSON } from '../support/driver.ts';
import type { TestFile } from './types.ts';

const FOLDER_VARIABLE = 'DISCODB_SPECIFICATIONS';
const SHARED = join(import.meta.dirname, '../../../shared/specifications');
export const OWN = join(import.meta.dirname, 'own');

export interface LoadedFile {
  readonly path: string;
  readonly file: TestFile;
}

/** The folder with the public specification tests: the one that the environment names, or the project's shared one. */
export function specificationFolder(): string {
  return process.env[FOLDER_VARIABLE] ?? SHARED;
}

/** The files of the unified format below a folder; other JSON there is not of this runner. */
export function loadFolder(folder: string): LoadedFile[] {
  if (!existsSync(folder)) return [];
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.json'));
  return paths.sort().flatMap((path) => {
    const file = BSON.EJSON.parse(readFileSync(join(folder, path), 'utf8')) as TestFile;
    return file.schemaVersion && file.tests ? [{ path: relative('.', path) || path, file }] : [];
  });
}
