import { CodedError } from '../../base/index.ts';
import type { Doc } from '../../bson/index.ts';
import { hashed } from './hashed.ts';
import type { IndexKind } from './kind.ts';
import { ordered } from './ordered.ts';
import { plane } from './plane.ts';
import { sphere } from './sphere.ts';
import { text } from './text.ts';
import { wildcard } from './wildcard.ts';

/** By the text that stands for a direction in the key pattern. */
const KINDS: ReadonlyMap<string, IndexKind> = new Map([hashed, plane, sphere, text].map((kind) => [kind.name, kind]));

/** The kind of an index, by its key pattern. Throws CannotCreateIndex where it names none. */
export function kindOf(pattern: Doc): IndexKind {
  const name = [...pattern.values()].find((direction) => typeof direction === 'string');
  if (name !== undefined) {
    const kind = KINDS.get(name as string);
    if (kind) return kind;
    throw new CodedError('CannotCreateIndex', `Unknown index plugin '${name}'`);
  }
  return [...pattern.keys()].some(isWildcardPath) ? wildcard : ordered;
}

/** `$**` or `path.$**`. */
export function isWildcardPath(path: string): boolean {
  return path === '$**' || path.endsWith('.$**');
}
