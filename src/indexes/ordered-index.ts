import { assert, type BTree, CodedError, createBTree } from '../base/index.ts';
import { type ArrayParts, type Doc, flat, KeyTypes, type TextKeys, type TextOrder, type Value } from '../bson/index.ts';
import type { KeyRange } from './bounds.ts';
import type { DocumentKeys, KeyGenerator } from './kinds/kind.ts';

export interface IndexOptions {
  /** Dotted paths and their directions, as in the command `createIndexes`. */
  readonly key: Doc;
  /** What makes the keys, as the index's kind gives it. */
  readonly generator: KeyGenerator;
  readonly unique?: boolean;
  /** What the generator makes the keys of texts with, where the index has a collation. */
  readonly texts?: TextOrder | undefined;
  /** Which types it has had, where its keys are put in without their values. */
  readonly types?: KeyTypes;
  /** `partialFilterExpression`: documents that it refuses are left out. */
  readonly partial?: ((doc: Doc) => boolean) | undefined;
}

export interface IndexEntry {
  readonly key: string;
  readonly recordId: number;
}

export interface Conflict {
  /** The record that has the key already. */
  readonly recordId: number;
  /** The key's value by the names of the key pattern, as an error shows it. */
  readonly keyValue: Doc;
}

/** Above whatever follows whole fields in a tree's key: another field's type, or a record's id. */
const AFTER = '\uffff';
const RECORD_ID_UNITS = 7;
/** What an entry takes besides its text: the string's header, its slots in the tree, a share of the nodes. */
const ENTRY_OVERHEAD_BYTES = 48;

/**
 * The keys of one index of a collection, in order, in memory. A key of the tree is the index key followed by the
 * record's id, so equal keys stand in the order of their records, as MongoDB's do.
 */
export class OrderedIndex {
  readonly pattern: Doc;
  /** Turned on later, it bears with keys that documents have in common already. */
  unique: boolean;
  /** What was ever put in, as far as keys do not tell it. */
  readonly types: KeyTypes;
  readonly #partial: ((doc: Doc) => boolean) | undefined;
  readonly #generator: KeyGenerator;
  readonly #tree: BTree<number> = createBTree();
  #arrays: readonly Set<number>[] | undefined;
  readonly #arrayPaths = new Set<string>();
  readonly #texts: TextOrder | undefined;
  #bytes = 0;
  /** Grows with every change, so that a scan under way notices. */
  #version = 0;

  constructor(options: IndexOptions) {
    this.pattern = options.key;
    this.unique = options.unique ?? false;
    this.types = options.types ?? new KeyTypes();
    this.#partial = options.partial;
    this.#generator = options.generator;
    this.#texts = options.texts;
  }

  /** How bounds on this index are made; undefined where it has no collation. */
  get seek(): TextKeys | undefined {
    return this.#texts?.seek;
  }

  /** Entries, of which a document may have several or none. */
  get size(): number {
    return this.#tree.size;
  }

  /** A document with an array on one of the paths was put in, at any time. */
  get multikey(): boolean {
    return this.#arrays !== undefined;
  }

  /** Where those arrays were, for each field of the key pattern; undefined where there were none. */
  get arrays(): ArrayParts | undefined {
    return this.#arrays;
  }

  /** The same for a kind whose keys have paths of the documents' own: those that were arrays. */
  get arrayPaths(): ReadonlySet<string> {
    return this.#arrayPaths;
  }

  /** An estimate of the memory that the entries take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The document's keys, for `conflict` and `insert` to share. Throws what the index's kind refuses. */
  prepare(doc: Doc): DocumentKeys {
    return this.#partial && !this.#partial(doc) ? NO_KEYS : this.#generator.keys(doc);
  }

  /** Another record's entry that a unique index has for one of the document's keys, and this record has not. */
  conflict(recordId: number, doc: Doc | DocumentKeys): Conflict | undefined {
    if (!this.unique) return undefined;
    for (const { key, values } of this.#prepared(doc).keys) {
      const other = this.#holder(key, recordId);
      if (other !== undefined && !this.hasKey(recordId, key))
        return { recordId: other, keyValue: this.#keyValue(values) };
    }
    return undefined;
  }

  /** Puts the document's keys in; `conflict` says whether they may. Throws as `prepare` does, and changes nothing then. */
  insert(recordId: number, doc: Doc | DocumentKeys): void {
    const { keys, arrays, arrayPaths } = this.#prepared(doc);
    for (const { key, values } of keys) {
      this.types.note(values);
      if (this.insertKey(recordId, key)) this.#texts?.retain(values);
    }
    for (const path of arrayPaths ?? []) this.#arrayPaths.add(path);
    if (arrays && keys.length > 0) this.#arrays = merged(this.#arrays, arrays);
    this.#texts?.tidy();
  }

  /** Takes the document's keys out; `doc` is what was put in under this id. One that is refused was never put in. */
  remove(recordId: number, doc: Doc): void {
    for (const { key, values } of this.keysOf(doc) ?? []) {
      if (this.removeKey(recordId, key)) this.#texts?.release(values);
    }
  }

  /** Undefined for a document that the index's kind refuses. */
  keysOf(doc: Doc): DocumentKeys['keys'] | undefined {
    try {
      return this.prepare(doc).keys;
    } catch (error) {
      if (error instanceof CodedError) return undefined;
      throw error;
    }
  }

  /** Takes out all keys of a document that nobody has any more, by looking at every entry. */
  removeRecord(recordId: number): void {
    const keys = [...this.scan()].filter((entry) => entry.recordId === recordId);
    for (const { key } of keys) this.removeKey(recordId, key);
  }

  /** Puts in one key, made as the index's kind makes it. False: it was there already. */
  insertKey(recordId: number, key: string): boolean {
    const isNew = this.#tree.set(flat(key, recordIdText(recordId)), recordId);
    if (isNew) this.#account(key, 1);
    return isNew;
  }

  hasKey(recordId: number, key: string): boolean {
    return this.#tree.has(flat(key, recordIdText(recordId)));
  }

  /** Takes out what `insertKey` put in. */
  removeKey(recordId: number, key: string): boolean {
    const wasThere = this.#tree.delete(flat(key, recordIdText(recordId)));
    if (wasThere) this.#account(key, -1);
    return wasThere;
  }

  /** The entries in a range. The index may change meanwhile: the scan goes on after the last entry it gave. */
  *scan(range: KeyRange & { readonly reverse?: boolean } = {}): Generator<IndexEntry, void> {
    const { lower = '', upper = '', lowerInclusive = true, upperInclusive = true, reverse = false } = range;
    const isAbove = (key: string) => key >= lower && (lowerInclusive || !key.startsWith(lower));
    const isBelow = (key: string) => key < upper || (upperInclusive && key.startsWith(upper));
    const isInside = reverse ? isAbove : isBelow;
    let from = reverse ? upper + (upperInclusive ? AFTER : '') : lower + (lowerInclusive ? '' : AFTER);
    for (;;) {
      const version = this.#version;
      for (const [text, recordId] of this.#from(from, reverse)) {
        if (!isInside(text)) return;
        yield { key: text.slice(0, -RECORD_ID_UNITS), recordId };
        from = text;
        if (version !== this.#version) break;
      }
      if (version === this.#version) return;
    }
  }

  /** Entries beyond a text of the tree, in either direction. No text lies between one and itself followed by NUL. */
  #from(text: string, reverse: boolean): Iterable<[string, number]> {
    // The tree's own search backwards takes an empty tree for a broken one.
    if (this.#tree.size === 0) return [];
    return reverse ? this.#tree.entriesReversed(text, undefined, true) : this.#tree.entries(`${text}\0`);
  }

  #holder(key: string, except: number): number | undefined {
    for (const { recordId } of this.scan({ lower: key, upper: key })) if (recordId !== except) return recordId;
    return undefined;
  }

  #prepared(doc: Doc | DocumentKeys): DocumentKeys {
    return doc instanceof Map ? this.prepare(doc) : doc;
  }

  #keyValue(values: readonly Value[]): Doc {
    return new Map([...this.pattern.keys()].map((path, field) => [path, values[field]]));
  }

  #account(key: string, entries: 1 | -1): void {
    this.#bytes += entries * (key.length + RECORD_ID_UNITS + ENTRY_OVERHEAD_BYTES);
    this.#version++;
  }
}

const NO_KEYS: DocumentKeys = { keys: [], arrays: undefined };

/** Grows only: an index stays multikey when its arrays are gone, as MongoDB's do. */
function merged(known: readonly Set<number>[] | undefined, more: ArrayParts): readonly Set<number>[] {
  const result = known ?? more.map(() => new Set<number>());
  for (const [field, parts] of more.entries()) for (const part of parts) result[field]!.add(part);
  return result;
}

/** A record's id, a positive safe integer, in seven code units of eight bits, in its order. */
function recordIdText(recordId: number): string {
  assert(Number.isSafeInteger(recordId) && recordId > 0, 'a record id is a positive safe integer');
  const high = Math.floor(recordId / 0x1_0000_0000);
  return String.fromCharCode(
    high >>> 16,
    (high >>> 8) & 0xff,
    high & 0xff,
    (recordId >>> 24) & 0xff,
    (recordId >>> 16) & 0xff,
    (recordId >>> 8) & 0xff,
    recordId & 0xff,
  );
}
