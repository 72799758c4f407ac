import { assert } from '../base/index.ts';
import { type Doc, encodeKey, expandPaths, type Value } from '../bson/index.ts';
import { isDescending, type KeyRange } from './bounds.ts';
import { type BTree, createBTree } from './btree.ts';

export interface IndexOptions {
  /** Dotted paths and their directions, as in the command `createIndexes`. */
  readonly key: Doc;
  readonly unique?: boolean;
  /** Documents that have none of the fields are left out. */
  readonly sparse?: boolean;
  /** `partialFilterExpression`: documents that it refuses are left out. */
  readonly partial?: ((doc: Doc) => boolean) | undefined;
}

export interface IndexKey {
  /** The fields as `encodeKey` makes them, one after the other. */
  readonly key: string;
  /** One for each field of the key pattern. */
  readonly values: readonly Value[];
}

export interface IndexEntry {
  readonly key: string;
  readonly recordId: number;
}

/** What one document puts into one index. */
export interface PreparedKeys {
  readonly keys: readonly IndexKey[];
  /** A path led through an array. */
  readonly array: boolean;
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
  readonly unique: boolean;
  readonly sparse: boolean;
  readonly #partial: ((doc: Doc) => boolean) | undefined;
  readonly #paths: readonly (readonly string[])[];
  readonly #descending: readonly boolean[];
  readonly #tree: BTree = createBTree();
  #multikey = false;
  #bytes = 0;
  /** Grows with every change, so that a scan under way notices. */
  #version = 0;

  constructor(options: IndexOptions) {
    this.pattern = options.key;
    this.unique = options.unique ?? false;
    this.sparse = options.sparse ?? false;
    this.#partial = options.partial;
    this.#paths = [...options.key.keys()].map((path) => path.split('.'));
    this.#descending = [...options.key.values()].map(isDescending);
  }

  /** Entries, of which a document may have several or none. */
  get size(): number {
    return this.#tree.size;
  }

  /** A document with an array on one of the paths was put in, at any time. */
  get multikey(): boolean {
    return this.#multikey;
  }

  /** An estimate of the memory that the entries take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The document's keys, each once. Throws `CannotIndexParallelArrays` or `Location16746`. */
  keys(doc: Doc): readonly IndexKey[] {
    return this.#expand(doc).keys;
  }

  /** The document's keys, for `conflict` and `insert` to share. Throws as `keys` does. */
  prepare(doc: Doc): PreparedKeys {
    return this.#expand(doc);
  }

  /** Another record's entry that a unique index has for one of the document's keys. */
  conflict(recordId: number, doc: Doc | PreparedKeys): Conflict | undefined {
    if (!this.unique) return undefined;
    for (const { key, values } of this.#prepared(doc).keys) {
      const other = this.#holder(key, recordId);
      if (other !== undefined) return { recordId: other, keyValue: this.#keyValue(values) };
    }
    return undefined;
  }

  /** Puts the document's keys in; `conflict` says whether they may. Throws as `keys` does, and changes nothing then. */
  insert(recordId: number, doc: Doc | PreparedKeys): void {
    const { keys, array } = this.#prepared(doc);
    for (const { key } of keys) this.insertKey(recordId, key);
    this.#multikey ||= array && keys.length > 0;
  }

  /** Takes the document's keys out; `doc` is what was put in under this id. */
  remove(recordId: number, doc: Doc): void {
    for (const { key } of this.keys(doc)) this.removeKey(recordId, key);
  }

  /** Takes out all keys of a document that nobody has any more, by looking at every entry. */
  removeRecord(recordId: number): void {
    const keys = [...this.scan()].filter((entry) => entry.recordId === recordId);
    for (const { key } of keys) this.removeKey(recordId, key);
  }

  /** Puts in one key, made as `keys` makes them. */
  insertKey(recordId: number, key: string): void {
    if (this.#tree.set(key + recordIdText(recordId), recordId)) this.#account(key, 1);
  }

  /** Takes out what `insertKey` put in. */
  removeKey(recordId: number, key: string): void {
    if (this.#tree.delete(key + recordIdText(recordId))) this.#account(key, -1);
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

  #prepared(doc: Doc | PreparedKeys): PreparedKeys {
    return doc instanceof Map ? this.#expand(doc) : doc;
  }

  #expand(doc: Doc): PreparedKeys {
    if (this.#partial && !this.#partial(doc)) return { keys: [], array: false };
    const { rows, array } = expandPaths(doc, this.#paths);
    const keys = new Map<string, IndexKey>();
    for (const { values, missing } of rows) {
      if (this.sparse && missing === values.length) continue;
      const key = values.map((value, field) => encodeKey(value, this.#descending[field])).join('');
      keys.set(key, { key, values });
    }
    return { keys: [...keys.values()], array };
  }

  #keyValue(values: readonly Value[]): Doc {
    return new Map([...this.pattern.keys()].map((path, field) => [path, values[field]]));
  }

  #account(key: string, entries: 1 | -1): void {
    this.#bytes += entries * (key.length + RECORD_ID_UNITS + ENTRY_OVERHEAD_BYTES);
    this.#version++;
  }
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
