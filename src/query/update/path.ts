import { CodedError } from '../../base/index.ts';
import { badValue } from '../error.ts';
import { arrayIndex } from '../path.ts';

const IDENTIFIER = /^\$\[(.*)\]$/;

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
  if (filterName(parts[0]!) !== undefined) {
    throw badValue(
      `Cannot have array filter identifier (i.e. '$[<id>]') element in the first position in path '${path}'`,
    );
  }
  if (parts[0]!.startsWith('$')) {
    throw new CodedError(
      'DollarPrefixedFieldName',
      `The dollar ($) prefixed field '${parts[0]}' in '${path}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`,
    );
  }
  return parts;
}

/** The order in which MongoDB applies updates to the fields of one document: by name, indexes by number. */
export function compareParts(left: string, right: string): number {
  const [a, b] = [arrayIndex(left), arrayIndex(right)];
  if (a >= 0 && b >= 0) return a - b;
  return left < right ? -1 : left > right ? 1 : 0;
}
