import { assert, Bell, type CodedError, type Deferred, deferred } from '../base/index.ts';
import { type CollationSpec, type Doc, decode, encode, getField, type KeptDoc, doc as literal } from '../bson/index.ts';
import { type DocumentKeys, duplicateKeyError, type OrderedIndex } from '../indexes/index.ts';
import type { Append, Entry, LiveEntry, Log, Placement, RecordRef, RetryMark } from '../log/index.ts';
import { type BuiltIndex, takeIn } from './built-index.ts';
import type { DocumentCache } from './cache.ts';
import type { IndexSpec, Namespace } from './contract.ts';
import { Home } from './home.ts';
import { IdDirectory } from './id-directory.ts';
import { IndexUses } from './index-uses.ts';
import { naturalScan } from './natural-order.ts';
import { Slot, type Version } from './slot.ts';

/** The place of an entry that has not joined a batch yet. */
const NOWHERE: RecordRef = { seq: 0, messageId: undefined, entries: 0, live: 0 };

/** A document whose newest version is not durable yet, and the version that is. */
export interface Unsettled {
  readonly slot: Slot;
  /** Undefined when Discord holds no version. */
  durable: Version | undefined;
  /** Changes on their way. */
  writes: number;
}

interface Staged {
  readonly slot: Slot;
  entry: Entry;
  /** The bytes stay the same, and the cache as it is. */
  readonly moves: boolean;
}

/**
 * An open collection: its directory (`_id` to newest version), its secondary indexes, and the changes on their way to
 * its log. All methods are synchronous: a statement is checked and applied in one step, so commands never see each
 * other half done. Changes are staged first and join the log together by `commit`, which a caller must reach before
 * it awaits anything; otherwise another command's newer version could reach the log first.
 */
export class Collection {
  readonly ns: Namespace;
  readonly home: Home;
  readonly cache: DocumentCache;
  /** In the order of insertion: recordIds only grow. */
  readonly slots = new Map<number, Slot>();
  readonly unsettled = new Map<number, Unsettled>();
  readonly secondary = new Map<string, BuiltIndex>();
  readonly indexUses = new IndexUses();
  /** Groups that clients have written since the collection was opened. */
  commits = 0;
  /** Rings when there is more to read, for whoever waits at the end. */
  readonly bell = new Bell();
  /** By `_id`. */
  readonly ids: IdDirectory;
  /** What its statements compare by, where they do not say. */
  readonly collation: CollationSpec | undefined;
  /** Its natural order is that of `_id`, and not that of insertion. */
  readonly clustered: boolean;
  /** What is taken over, newest first, until all of it is there. */
  readonly #recovered: Slot[] = [];
  readonly #staged = new Map<number, Staged>();
  readonly #onLost: (error: unknown) => void;
  #ended: unknown;
  #nextRecordId = 1;
  #dataSize = 0;
  /** Slots that stay in `slots` until their deletion is durable. */
  #deleted = 0;
  #gate: Deferred<void> | undefined;

  /** `onLost` is told when the log has stopped: then memory is ahead of Discord for good, and must be thrown away. */
  constructor(
    ns: Namespace,
    log: Log,
    cache: DocumentCache,
    onLost: (error: unknown) => void,
    collation?: CollationSpec,
    clustered = false,
  ) {
    this.ns = ns;
    this.home = new Home(log);
    this.cache = cache;
    this.#onLost = onLost;
    this.collation = collation;
    this.clustered = clustered;
    this.ids = new IdDirectory(collation);
  }

  get log(): Log {
    return this.home.log;
  }

  /** Resolves when a command may write: the queue has room, and nobody has shut the collection. */
  async room(): Promise<void> {
    do {
      await this.#gate?.promise;
      await this.log.room();
    } while (this.#gate);
  }

  /** From now on commands wait in `room`, until the function that is returned is called. Those under way go on. */
  shut(): () => void {
    const gate = deferred<void>();
    this.#gate = gate;
    return () => {
      if (this.#gate === gate) this.#gate = undefined;
      gate.resolve();
    };
  }

  /**
   * Goes on in another log, in which every document stands where `places` says, and nothing is on its way in the one
   * before. What is committed from now on is durable only when `entered` resolves as well.
   */
  moveTo(log: Log, places: ReadonlyMap<Slot, Placement>, entered: Promise<void>): void {
    assert(this.unsettled.size === 0 && this.#staged.size === 0, 'nothing is on its way when a collection moves');
    this.home.move(log, new Set([...this.slots.values()].map(({ record }) => record)), entered);
    for (const slot of this.slots.values()) {
      const place = places.get(slot);
      assert(place, 'a collection moves with all that is in it');
      slot.record = place.record;
      slot.index = place.slot;
    }
  }

  /** Live documents. */
  get count(): number {
    return this.slots.size - this.#deleted;
  }

  /** Bytes of BSON in all documents. */
  get dataSize(): number {
    return this.#dataSize;
  }

  /** Bytes of documents that are in memory. */
  get cachedBytes(): number {
    let bytes = 0;
    for (const slot of this.slots.values()) bytes += slot.kept?.length ?? 0;
    return bytes;
  }

  /** All live slots in natural order; whoever waits between two of them may meet one that was deleted meanwhile. */
  scan(reverse = false): Iterable<Slot> {
    return naturalScan(this, reverse, this.#deleted > 0);
  }

  slot(recordId: number): Slot | undefined {
    const slot = this.slots.get(recordId);
    return slot?.deleted ? undefined : slot;
  }

  /** The bytes of the newest version where they are in memory. */
  bytesOf(slot: Slot): Uint8Array | undefined {
    return this.#staged.get(slot.recordId)?.entry.bytes ?? this.cache.get(slot);
  }

  /** The same, as it is kept where it is. */
  contentOf(slot: Slot): Uint8Array | KeptDoc | undefined {
    const staged = this.#staged.size > 0 ? this.#staged.get(slot.recordId)?.entry.bytes : undefined;
    return staged ?? this.cache.getKept(slot);
  }

  /** Takes a document over from the log while it is being opened, newest record first; `sortRecovered` ends that. */
  adopt(live: LiveEntry): void {
    const { bytes, placement } = live;
    const id = getField(bytes, '_id');
    const slot = new Slot(live.recordId, this.ids.keyOf(id), placement.record, placement.slot, bytes.length);
    this.#recovered.push(slot);
    this.ids.put(slot, id);
    this.#dataSize += bytes.length;
    this.cache.offer(slot, bytes);
    if (this.secondary.size > 0) {
      const doc = decode(bytes);
      for (const built of this.secondary.values()) takeIn(built, slot.recordId, doc);
    }
  }

  /** Given to the newest document that there ever was. */
  get lastRecordId(): number {
    return this.#nextRecordId - 1;
  }

  sortRecovered(nextRecordId: number): void {
    this.#recovered.sort((left, right) => left.recordId - right.recordId);
    for (const slot of this.#recovered) this.slots.set(slot.recordId, slot);
    this.#recovered.length = 0;
    this.#nextRecordId = nextRecordId;
  }

  /** Throws DuplicateKey, or what an index refuses, and changes nothing then. `bytes` begin with `_id`; `doc` is asked for only where an index needs it. */
  insert(bytes: Uint8Array, doc: () => Doc): Slot {
    const id = getField(bytes, '_id');
    const idKey = this.ids.keyOf(id);
    if (this.ids.has(idKey)) {
      const index = { name: '_id_', key: literal({ _id: 1 }), collation: this.ids.collation };
      throw duplicateKeyError(nsText(this.ns), index, new Map([['_id', id]]));
    }
    const recordId = this.#nextRecordId;
    const keys = this.#prepareKeys(recordId, doc);
    this.#nextRecordId++;
    const slot = new Slot(recordId, idKey, NOWHERE, 0, bytes.length);
    this.slots.set(recordId, slot);
    this.ids.put(slot, id);
    for (const [index, prepared] of keys) index.insert(recordId, prepared);
    this.#dataSize += bytes.length;
    this.#stage(slot, { op: 'put', recordId, bytes });
    return slot;
  }

  /** Throws DuplicateKey, or what an index refuses, and changes nothing then. `_id` is the same in both. */
  replace(slot: Slot, before: Doc, bytes: Uint8Array, after: Doc): void {
    for (const [index, prepared] of this.#prepareKeys(slot.recordId, () => after)) {
      index.remove(slot.recordId, before);
      index.insert(slot.recordId, prepared);
    }
    this.#dataSize += bytes.length - slot.size;
    slot.size = bytes.length;
    this.#stage(slot, { op: 'put', recordId: slot.recordId, bytes, previous: placeOf(slot) });
  }

  /** `bytes` are the document's newest, `before` the same decoded, asked for only where an index needs it. */
  remove(slot: Slot, bytes: Uint8Array, before: () => Doc): void {
    for (const { index } of this.secondary.values()) index.remove(slot.recordId, before());
    this.#takeOut(slot, new Map([['_id', getField(bytes, '_id')]]));
  }

  /** Takes a document out whose message is gone, and its bytes perhaps with it. */
  vanish(slot: Slot): void {
    const bytes = this.bytesOf(slot);
    if (bytes) {
      this.remove(slot, bytes, () => decode(bytes));
      return;
    }
    for (const { index } of this.secondary.values()) index.removeRecord(slot.recordId);
    this.#takeOut(slot, new Map());
  }

  /** Takes a document out; of one that has not joined the log yet nothing is left. */
  evict(slot: Slot): void {
    const staged = this.#staged.get(slot.recordId);
    this.vanish(slot);
    if (!staged || staged.entry.previous) return;
    this.#staged.delete(slot.recordId);
    this.unsettled.delete(slot.recordId);
    this.slots.delete(slot.recordId);
    this.#deleted--;
  }

  /** Writes the newest version, `bytes`, anew: the same document in another record. Nobody but upkeep can tell. */
  move(slot: Slot, bytes: Uint8Array): void {
    this.#stage(slot, { op: 'put', recordId: slot.recordId, bytes, previous: placeOf(slot) }, true);
  }

  /**
   * Hands everything staged to the log as one group. Resolves when Discord holds it; rejects with the StoreError that
   * stopped the log, and then this object is no longer true and must be opened anew.
   */
  commit(marks: readonly RetryMark[], append: Append = (...group) => this.log.append(...group)): Promise<void> {
    if (this.#staged.size === 0) return Promise.resolve();
    const staged = [...this.#staged.values()];
    this.#staged.clear();
    this.checkAlive();
    if (staged.some(({ moves }) => !moves)) this.commits++;
    this.bell.ring();
    const { placements, durable: stored } = append(
      staged.map(({ entry }) => entry),
      marks,
    );
    const versions = staged.map(({ slot, entry, moves }, at): Version | undefined => {
      const { record, slot: index } = placements[at]!;
      slot.record = record;
      slot.index = index;
      if (entry.op === 'delete') {
        this.cache.drop(slot);
        return undefined;
      }
      if (!moves) this.cache.put(slot, entry.bytes);
      return { record, index, bytes: entry.bytes };
    });
    return this.home.durable(stored).then(
      () => {
        for (const [at, { slot, moves }] of staged.entries()) if (!moves) this.#settle(slot, versions[at]);
        this.bell.ring();
      },
      (error) => {
        this.#onLost(error);
        throw error;
      },
    );
  }

  /** Changes are staged that `commit` would write. */
  get dirty(): boolean {
    return this.#staged.size > 0;
  }

  addIndex(built: BuiltIndex): void {
    this.secondary.set(built.spec.name, built);
  }

  /** Takes over what has changed about indexes that are there. */
  redefine(specs: readonly IndexSpec[]): void {
    for (const spec of specs) {
      const built = this.secondary.get(spec.name);
      if (!built || built.spec === spec) continue;
      built.index.unique = spec.unique;
      this.secondary.set(spec.name, { ...built, spec });
    }
  }

  /** Throws why this object is no longer true, once it is not: whoever works on it would take what is left for all. */
  checkAlive(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }

  /** Forgets everything in memory, because of `reason`; the log is the truth. */
  discard(reason: unknown): void {
    this.#ended = reason;
    this.bell.ring();
    for (const slot of [...this.slots.values(), ...this.#recovered]) this.cache.drop(slot);
    this.slots.clear();
    this.ids.clear();
  }

  /** The keys of every secondary index, all made and checked before any is put in. */
  #prepareKeys(recordId: number, doc: () => Doc): [OrderedIndex, DocumentKeys][] {
    const all: [OrderedIndex, DocumentKeys][] = [];
    for (const { spec, index } of this.secondary.values()) {
      const prepared = index.prepare(doc());
      const conflict = index.conflict(recordId, prepared);
      if (conflict) throw duplicateKey(this.ns, spec, conflict.keyValue);
      all.push([index, prepared]);
    }
    return all;
  }

  /** `named` is what the tombstone tells people. */
  #takeOut(slot: Slot, named: Doc): void {
    this.ids.remove(slot, named.get('_id'));
    this.#dataSize -= slot.size;
    slot.deleted = true;
    this.#deleted++;
    this.#stage(slot, { op: 'delete', recordId: slot.recordId, bytes: encode(named), previous: placeOf(slot) });
  }

  #stage(slot: Slot, entry: Entry, moves = false): void {
    const earlier = this.#staged.get(slot.recordId);
    if (earlier) {
      // Two statements of one command: only the last version is written, in place of the same predecessor.
      const { previous } = earlier.entry;
      const { op, recordId, bytes } = entry;
      earlier.entry = previous ? { op, recordId, bytes, previous } : { op, recordId, bytes };
      return;
    }
    this.#staged.set(slot.recordId, { slot, entry, moves });
    // The same bytes are durable already, and stay so until these are.
    if (moves) return;
    const unsettled = this.unsettled.get(slot.recordId);
    if (unsettled) {
      unsettled.writes++;
      return;
    }
    const durable = entry.previous && { record: slot.record, index: slot.index, bytes: this.cache.get(slot) };
    this.unsettled.set(slot.recordId, { slot, durable, writes: 1 });
  }

  #settle(slot: Slot, version: Version | undefined): void {
    const unsettled = this.unsettled.get(slot.recordId);
    if (!unsettled) return;
    unsettled.durable = version;
    if (--unsettled.writes > 0) return;
    this.unsettled.delete(slot.recordId);
    if (!slot.deleted) return;
    this.slots.delete(slot.recordId);
    this.#deleted--;
  }
}

/** `db.coll`, as error texts and cursors name it. */
export function nsText(ns: Namespace): string {
  return `${ns.db}.${ns.coll}`;
}

/** What a unique index says to a document whose key it has already. */
export function duplicateKey(ns: Namespace, { name, key, spec }: IndexSpec, keyValue: Doc): CodedError {
  const collation = spec.get('collation');
  return duplicateKeyError(nsText(ns), { name, key, collation: collation as Doc | undefined }, keyValue);
}

function placeOf({ record, index }: Slot): Placement {
  return { record, slot: index };
}
