import type { Doc, Value } from '../../bson/index.ts';
import { located } from '../error.ts';
import { checkedParts, resolvePath, withValue } from '../path.ts';
import { type Found, isArray, isDoc, MISSING, typeName } from '../value.ts';
import { each, type StageCompiler } from './stage.ts';

/** The argument of `$unwind`. */
export interface Unwinding {
  readonly path: readonly string[];
  readonly index: readonly string[] | undefined;
  readonly preserve: boolean;
}

export const unwind: StageCompiler = (spec) => {
  const options = parseUnwind(spec);
  return each((doc) => take(doc, options));
};

export function parseUnwind(spec: Value): Unwinding {
  if (typeof spec === 'string') return { path: fieldPath(spec), index: undefined, preserve: false };
  if (!isDoc(spec)) {
    throw located(
      15981,
      `expected either a string or an object as specification for $unwind stage, got ${typeName(spec)}`,
    );
  }
  for (const key of spec.keys()) {
    if (key !== 'path' && key !== 'includeArrayIndex' && key !== 'preserveNullAndEmptyArrays') {
      throw located(28811, `unrecognized option to $unwind stage: ${key}`);
    }
  }
  if (!spec.has('path')) throw located(28812, 'no path specified to $unwind stage');
  const path = spec.get('path');
  if (typeof path !== 'string')
    throw located(28808, `expected a string as the path for $unwind stage, got ${typeName(path)}`);
  const preserve = spec.has('preserveNullAndEmptyArrays') ? spec.get('preserveNullAndEmptyArrays') : false;
  if (typeof preserve !== 'boolean') {
    throw located(
      28809,
      `expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage, got ${typeName(preserve)}`,
    );
  }
  return { path: fieldPath(path), index: indexPath(spec.get('includeArrayIndex')), preserve };
}

function indexPath(name: Value): string[] | undefined {
  if (name === undefined) return undefined;
  if (typeof name !== 'string' || name === '') {
    throw located(
      28810,
      `expected a non-empty string for the includeArrayIndex option to $unwind stage, got ${typeName(name)}`,
    );
  }
  if (name.startsWith('$'))
    throw located(28822, `includeArrayIndex option to $unwind stage should not be prefixed with a '$': ${name}`);
  return checkedParts(name);
}

function fieldPath(path: string): string[] {
  if (path === '') throw located(28812, 'no path specified to $unwind stage');
  if (!path.startsWith('$'))
    throw located(28818, `path option to $unwind stage should be prefixed with a '$': ${path}`);
  if (path.includes('\0')) throw located(16419, 'field path must not contain embedded null characters');
  return checkedParts(path.slice(1));
}

function* take(doc: Doc, { path, index, preserve }: Unwinding): Generator<Doc> {
  const value = resolveThroughDocs(doc, path);
  const withIndex = (result: Doc, at: Value) => (index ? withValue(result, index, at) : result);
  if (isArray(value)) {
    if (value.length === 0 && preserve) yield withIndex(withValue(doc, path, MISSING), null);
    for (const [at, item] of value.entries()) yield withIndex(withValue(doc, path, item), BigInt(at));
  } else if (value !== MISSING && value !== null && value !== undefined) {
    yield withIndex(doc, null);
  } else if (preserve) yield withIndex(doc, null);
}

/** Arrays on the way end a path here: only one at its very end is unwound. */
function resolveThroughDocs(doc: Doc, path: readonly string[]): Found {
  let value: Found = doc;
  for (const part of path) {
    if (!isDoc(value)) return MISSING;
    value = resolvePath(value, [part]);
  }
  return value;
}
