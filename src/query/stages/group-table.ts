import { Buffer } from 'node:buffer';
import { asBuffer, type Doc, decode, encode, type Value } from '../../bson/index.ts';
import type { Group } from './accumulation.ts';
import { type Aside, PARTS } from './aside.ts';
import type { GroupWork } from './group-work.ts';
import { type Codec, DOCUMENTS } from './spool.ts';

/** What a group takes in memory beside its id and what its accumulators hold, about. */
export const GROUP_BYTES = 500;

/** A group that was put aside: more may come for it. */
export class Unfinished {
  readonly id: Value;
  readonly saved: readonly Value[][];
  /** What it took in memory. */
  readonly bytes: number;

  constructor(id: Value, saved: readonly Value[][], bytes: number) {
    this.id = id;
    this.saved = saved;
    this.bytes = bytes;
  }
}

/** What `$group` works on: a document, or what it made of others. */
export type Item = Doc | Unfinished;

const DOCUMENT = 0;
const UNFINISHED = 1;

/** A byte says what it is. Of a group each value is a document of its own, for it may nest as deep as one can. */
export const ITEMS: Codec<Item> = {
  encode(item) {
    if (!(item instanceof Unfinished)) return Buffer.concat([Buffer.of(DOCUMENT), DOCUMENTS.encode(item)]);
    const counts = new Map<string, Value>([['', [item.bytes, ...item.saved.map(({ length }) => length)]]]);
    const values = [item.id, ...item.saved.flat()].map((value) => encode(new Map([['', value]])));
    return Buffer.concat([Buffer.of(UNFINISHED), encode(counts), ...values]);
  },
  decode(bytes) {
    if (bytes[0] === DOCUMENT) return DOCUMENTS.decode(bytes.subarray(1));
    const values = documents(bytes.subarray(1)).map((doc) => doc.get(''));
    const [size, ...counts] = values[0] as number[];
    let at = 2;
    const saved = counts.map((count) => {
      at += count;
      return values.slice(at - count, at);
    });
    return new Unfinished(values[1], saved, size!);
  },
};

function documents(bytes: Uint8Array): Doc[] {
  const view = asBuffer(bytes);
  const found: Doc[] = [];
  for (let at = 0; at < view.length; ) {
    const end = at + view.readInt32LE(at);
    found.push(decode(view.subarray(at, end)));
    at = end;
  }
  return found;
}

/** A group in memory. */
export interface Entry {
  readonly id: Value;
  readonly group: Group;
  readonly part: number;
  /** What it takes without what its accumulators hold. */
  readonly base: number;
  /** What it takes. */
  bytes: number;
}

/** The groups in memory by their keys, in order of first appearance; with what parts of them take. */
export class GroupTable {
  bytes = 0;
  readonly #aside: Aside<Item> | undefined;
  readonly #groups = new Map<string, Entry>();
  readonly #parts = new Float64Array(PARTS);
  readonly #gone = new Set<number>();

  constructor(aside: Aside<Item> | undefined) {
    this.#aside = aside;
  }

  get(key: string): Entry | undefined {
    return this.#groups.get(key);
  }

  partOf(key: string): number {
    return this.#aside?.partOf(key) ?? 0;
  }

  /** Whether that part has been put aside. */
  isAside(part: number): boolean {
    return this.#gone.has(part);
  }

  add(key: string, entry: Entry): void {
    this.#groups.set(key, entry);
  }

  /** Notes what a group takes now. */
  measure(entry: Entry, bytes: number): void {
    const grown = bytes - entry.bytes;
    entry.bytes = bytes;
    this.bytes += grown;
    this.#parts[entry.part]! += grown;
  }

  /** Puts the part aside that takes most; not the only group there is, which would have no more room for that. */
  evict(work: GroupWork | undefined): void {
    if (!this.#aside || this.#groups.size < 2) return;
    const part = this.#parts.indexOf(Math.max(...this.#parts));
    const gone = [...this.#groups].filter(([, entry]) => entry.part === part);
    work?.evicted(gone.map(([, entry]) => entry));
    for (const [key, { id, group, bytes }] of gone) {
      this.#aside.put(part, new Unfinished(id, group.save(), bytes), bytes);
      this.#groups.delete(key);
    }
    this.bytes -= this.#parts[part]!;
    this.#parts[part] = 0;
    this.#gone.add(part);
  }

  /** The results, which ends it. */
  *finished(work: GroupWork | undefined): Generator<Doc> {
    work?.finishing(this.#groups.values());
    for (const { id, group } of this.#groups.values()) {
      const made = group.finish(new Map([['_id', id]]));
      work?.made(made);
      yield made;
    }
    this.#groups.clear();
  }
}
