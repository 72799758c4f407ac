import { CodedError } from '../base/index.ts';
import {
  bytesOfKept,
  type Doc,
  decode,
  type KeptDoc,
  KeptField,
  KeptFinder,
  MAX_DEPTH,
  TYPE,
  type Value,
} from '../bson/index.ts';
import { located } from './error.ts';
import { type Found, isArray, isDoc, MISSING } from './value.ts';

/** A dotted path taken apart. `indexes[i]` is the array index that part i can stand for, or -1. */
export interface Path {
  readonly text: string;
  readonly parts: readonly string[];
  /** The parts, for a `KeptDoc`. */
  readonly keptParts: readonly KeptField[];
  readonly indexes: readonly number[];
}

const INDEX = /^(0|[1-9]\d{0,8})$/;

export function parsePath(text: string): Path {
  const parts = text.split('.');
  const keptParts = parts.map((part) => new KeptField(part));
  return { text, parts, keptParts, indexes: parts.map(arrayIndex) };
}

/** The array index that a path part stands for, or -1. */
export function arrayIndex(part: string): number {
  return INDEX.test(part) ? Number(part) : -1;
}

/** Called with a value, and the index of the outermost array element that it was found under, if any. */
export type Visitor = (value: Found, offset: number | undefined) => boolean;

/**
 * Visits what a path stands for in a filter (MongoDB's `BSONElementIterator`): every element of arrays on the way, with
 * a number as field name and as index, MISSING where a document lacks the rest. With `spread`, an array at the end
 * gives its elements first and then itself. Stops at the first visit that answers true, and answers whether there was one.
 */
export function visitPath(doc: Doc, path: Path, spread: boolean, visit: Visitor): boolean {
  return visitFrom(doc, path, 0, spread, visit, undefined);
}

export function docOf(doc: Doc | KeptDoc): Doc {
  return typeof doc === 'string' ? decode(bytesOfKept(doc)) : doc;
}

const finder = new KeptFinder();

/** Where a path may stand for more than one value. */
export const SEVERAL: unique symbol = Symbol('several');

/**
 * What a path without arrays on it stands for: a finder that has found the one value that `visitPath` would visit, for
 * use before the next call. Reads nothing else.
 */
export function soleValue(doc: KeptDoc, { keptParts }: Path): KeptFinder | typeof MISSING | typeof SEVERAL {
  const found = findKept(doc, keptParts);
  if (found === 'absent') return MISSING;
  if (found === 'unreadable' || finder.type === TYPE.array) return SEVERAL;
  return left > 0 ? MISSING : finder;
}

/**
 * Visits as `visitPath` does, right after `soleValue` has said SEVERAL of this document. `needle` is what stands in
 * every value that would be answered with true: an array without it is not read.
 */
export function visitSeveral(doc: KeptDoc, path: Path, spread: boolean, visit: Visitor, needle?: string): boolean {
  if (finder.type !== TYPE.array) return visitFrom(docOf(doc), path, 0, spread, visit, undefined);
  if (needle !== undefined && !finder.holds(needle)) return false;
  return visitFrom(finder.value(), path, path.parts.length - left, spread, visit, undefined);
}

/** How many parts of the path `findKept` did not follow. */
let left = 0;

/** Leads the finder along the path, through documents, up to its end or to a value that is none. */
function findKept(doc: KeptDoc, parts: readonly KeptField[]): 'found' | 'absent' | 'unreadable' {
  let found = finder.find(doc, parts[0]!);
  let at = 1;
  while (found === 'found' && finder.type === TYPE.object && at < parts.length) found = finder.findWithin(parts[at++]!);
  left = parts.length - at;
  return found;
}

function visitFrom(
  start: Value,
  path: Path,
  from: number,
  spread: boolean,
  visit: Visitor,
  offset: number | undefined,
): boolean {
  let value: Found = start;
  for (let at = from; at < path.parts.length; at++) {
    if (isArray(value)) return visitElements(value, path, at, spread, visit, offset);
    if (!isDoc(value)) return visit(MISSING, offset);
    value = field(value, path.parts[at]!);
  }
  if (spread && isArray(value)) {
    for (let i = 0; i < value.length; i++) if (visit(value[i], offset ?? i)) return true;
  }
  return visit(value, offset);
}

function visitElements(
  array: readonly Value[],
  path: Path,
  at: number,
  spread: boolean,
  visit: Visitor,
  offset: number | undefined,
): boolean {
  const index = path.indexes[at]!;
  for (let i = 0; i < array.length; i++) {
    const item = array[i];
    if (isDoc(item) && visitFrom(item, path, at, spread, visit, offset ?? i)) return true;
    if (i !== index) continue;
    // An element reached by its index stands for itself: it is not taken apart even when it is an array.
    if (at === path.parts.length - 1) {
      if (visit(item, offset)) return true;
    } else if (isDoc(item)) {
      if (visitFrom(item, path, at + 1, spread, visit, offset)) return true;
    } else if (isArray(item) && visitElements(item, path, at + 1, spread, visit, offset)) return true;
  }
  return false;
}

/** A document's field, MISSING when it has none. */
export function field(doc: Doc, name: string): Found {
  const value = doc.get(name);
  return value === undefined && !doc.has(name) ? MISSING : value;
}

/**
 * What a field path stands for in an expression: documents are followed, arrays mapped over (elements that are
 * no documents or lack the rest are left out), numbers are field names only.
 */
export function resolvePath(start: Found, parts: readonly string[], from = 0): Found {
  let value = start;
  for (let at = from; at < parts.length; at++) {
    if (isArray(value)) {
      const items: Value[] = [];
      for (const item of value) {
        const found = isDoc(item) ? resolvePath(item, parts, at) : MISSING;
        if (found !== MISSING) items.push(found);
      }
      return items;
    }
    if (!isDoc(value)) return MISSING;
    value = field(value, parts[at]!);
  }
  return value;
}

/** The document with a value set at a path, or taken away with MISSING; copies along the path, and replaces what is no document. */
export function withValue(doc: Doc, path: readonly string[], value: Found, from = 0): Doc {
  const name = path[from]!;
  const copy = new Map(doc);
  if (from < path.length - 1) {
    const child = doc.get(name);
    copy.set(name, withValue(isDoc(child) ? child : new Map(), path, value, from + 1));
  } else if (value === MISSING) copy.delete(name);
  else copy.set(name, value);
  return copy;
}

/** Names that begin with a dollar and are no operators: those of a DBRef, and what commands put in (`field_path.cpp`). */
const DOLLAR_FIELDS: ReadonlySet<string> = new Set(['$id', '$ref', '$db', '$sortKey', '$recordId']);

/** The parts of a field path. Throws for what is none. */
export function checkedParts(path: string): string[] {
  if (path === '') throw located(40352, 'FieldPath cannot be constructed with empty string');
  if (path.endsWith('.')) throw located(40353, "FieldPath must not end with a '.'.");
  const parts = path.split('.');
  if (parts.length > MAX_DEPTH) throw new CodedError('Overflow', 'FieldPath is too long');
  for (const part of parts) checkFieldName(part);
  return parts;
}

/** Throws for what is no name of one field. */
export function checkFieldName(name: string): void {
  if (name === '') throw located(15998, 'FieldPath field names may not be empty strings.');
  if (name.startsWith('$') && !DOLLAR_FIELDS.has(name)) {
    throw located(16410, "FieldPath field names may not start with '$'. Consider using $getField or $setField.");
  }
  if (name.includes('\0')) throw located(16411, "FieldPath field names may not contain '\\0'.");
  if (name.includes('.')) {
    throw located(16412, "FieldPath field names may not contain '.'. Consider using $getField or $setField.");
  }
}
