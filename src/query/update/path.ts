import { CodedError } from '../../base/index.ts';
import { compareText } from '../../bson/index.ts';
import { badValue } from '../error.ts';
import { field } from '../path.ts';
import { type Found, isArray, isDoc, MISSING } from '../value.ts';

const IDENTIFIER = /^\$\[(.*)\]$/s;
/** The longest array that a path can name an element of (`str::parseUnsignedBase10Integer` reads 32 bits). */
const MAX_INDEX = 2 ** 32 - 1;
const STRICT_INDEX = /^(0|[1-9]\d*)$/;

/** The name in `$[name]` (empty for `$[]`), undefined for another part. */
export function filterName(part: string): string | undefined {
  return IDENTIFIER.exec(part)?.[1];
}

/** Splits an update path. Throws for what no update may name. */
export function updatePath(path: string): string[] {
  if (path === '') throw new CodedError('EmptyFieldName', 'An empty update path is not valid.');
  const parts = path.split('.');
  if (parts.includes('')) {
    throw new CodedError(
      'EmptyFieldName',
      `The update path '${path}' contains an empty field name, which is not allowed.`,
    );
  }
  const positional = parts.filter((part) => part === '$').length;
  if (positional > 1) throw badValue(`Too many positional (i.e. '$') elements found in path '${path}'`);
  if (parts[0] === '$') {
    throw badValue(`Cannot have positional (i.e. '$') element in the first position in path '${path}'`);
  }
  return parts;
}

/** The element of an array that a part of an update path names, or -1. Zeros may lead, unlike in a filter. */
export function elementIndex(part: string): number {
  if (!/^\d+$/.test(part)) return -1;
  const index = Number(part);
  return index <= MAX_INDEX ? index : -1;
}

/** What stands at a part of an update path; undefined where a value that is there can have nothing of that name. */
export function childOf(value: Found, part: string): { readonly found: Found } | undefined {
  if (value === MISSING) return { found: MISSING };
  if (isDoc(value)) return { found: field(value, part) };
  const index = isArray(value) ? elementIndex(part) : -1;
  if (!isArray(value) || index < 0) return undefined;
  return { found: index < value.length ? value[index] : MISSING };
}

/** The order in which MongoDB applies updates to the fields of one document: by name, indexes by number. */
export function compareParts(left: string, right: string): number {
  if (left.length !== right.length && STRICT_INDEX.test(left) && STRICT_INDEX.test(right)) {
    return left.length - right.length;
  }
  return compareText(left, right);
}
