import { type Clock, giveWay } from '../base/index.ts';
import { bytesOfKept, type Doc, decode, decodeOnly, encode, type FieldReader, type KeptDoc } from '../bson/index.ts';
import type { LiveEntry } from '../log/index.ts';
import { type Filter, type Metadata, SortWork } from '../query/index.ts';
import { StoreError } from '../store/index.ts';
import type { Loaded } from './handle.ts';
import { compareNatural } from './natural-order.ts';
import type { Plan } from './plans/plan.ts';
import type { Slot, Version } from './slot.ts';

/** A document as it stands in memory or came from Discord. */
type Content = Uint8Array | KeptDoc;

/** A document on its way to a client: the bytes it is stored with, decoded once somebody needs that. */
export class Found {
  readonly recordId: number;
  #content: Content | undefined;
  #doc: Doc | undefined;
  #meta: Metadata | undefined;
  readonly #metaOf: Plan['meta'];

  constructor(recordId: number, content: Content | undefined, metaOf?: Plan['meta']) {
    this.recordId = recordId;
    this.#content = content;
    this.#metaOf = metaOf;
  }

  /** Of a document what an index tells. */
  static of(recordId: number, fields: Doc): Found {
    const found = new Found(recordId, undefined);
    found.#doc = fields;
    return found;
  }

  get bytes(): Uint8Array {
    this.#content ??= encode(this.#doc!);
    if (typeof this.#content === 'string') this.#content = bytesOfKept(this.#content);
    return this.#content;
  }

  /** In bytes. */
  get size(): number {
    return this.#content?.length ?? this.bytes.length;
  }

  get doc(): Doc {
    this.#doc ??= decode(this.bytes);
    return this.#doc;
  }

  /** Of the document some fields alone, which is all that is read of it. */
  only(reader: FieldReader): Doc {
    return this.#doc ?? reader.read(this.#content!);
  }

  /** What the plan knows of it; nothing, mostly. */
  get meta(): Metadata | undefined {
    this.#meta ??= this.#metaOf?.(this.doc);
    return this.#meta;
  }
}

/** Decodes no more than the filter asks for. */
function matches(filter: Filter, content: Content): boolean {
  if (typeof content === 'string') return filter.matches(content);
  return filter.matches(filter.fields ? decodeOnly(content, filter.fields) : decode(content));
}

/** Counts for `explain`. */
export interface Examined {
  keys: number;
  docs: number;
  /** Documents that matched. */
  matched: number;
  /** What a blocking sort did. */
  readonly sort: SortWork;
}

export function nothingExamined(): Examined {
  return { keys: 0, docs: 0, matched: 0, sort: new SortWork() };
}

/** How long a scan may match documents while other commands wait. */
const TURN_MS = 10;

/** Looking at the clock takes as long as a third of a match. */
const CLOCK_EVERY = 16;

/** Candidates looked at in one step: few at first, for a `limit` that is soon reached, then more. */
const FIRST_CHUNK = 16;
const LAST_CHUNK = 512;

export interface Scan {
  readonly clock: Clock;
  readonly loaded: Loaded;
  readonly filter: Filter;
  readonly plan: Plan;
  /** The plan's, as `candidates` gave them. */
  readonly slots: Iterable<Slot>;
  readonly read: 'local' | 'durable';
  /** So many matches will do; absent: all are wanted. */
  readonly enough?: number | undefined;
  readonly examined: Examined;
}

/**
 * The slots that a read looks at. A durable one begins with those of this moment, and with those whose last durable
 * version the plan does not find any more: what is written while it goes on takes nothing away from it. These come in
 * natural order, or against it where `step` says so, and not in the plan's.
 */
export function candidates({ collection }: Loaded, plan: Plan, read: Scan['read'], step: 1 | -1 = 1): Iterable<Slot> {
  if (read === 'local') return plan.slots();
  const slots = new Set(plan.slots());
  if (collection.unsettled.size === 0) return slots;
  for (const { slot } of collection.unsettled.values()) slots.add(slot);
  return [...slots].sort((left, right) => compareNatural(collection, left, right) * step);
}

/**
 * The matches among a plan's candidates, chunk by chunk, in the plan's order. The next chunk's evicted documents are
 * fetched while the caller works on this one, unless this one may be the last. Other commands get their turn between chunks,
 * and within one that takes long.
 */
export async function* scanLoaded(scan: Scan): AsyncGenerator<Found[]> {
  const { clock } = scan;
  const metaOf = scan.plan.meta;
  // What a durable read adds to the plan's slots is no answer of the plan.
  const exact = (scan.plan.exact && scan.read === 'local') || scan.filter.source.size === 0;
  let begun = clock.monotonic();
  const slots = scan.slots[Symbol.iterator]();
  const limited = scan.enough !== undefined;
  let wanted = scan.enough ?? Number.POSITIVE_INFINITY;
  let size = Math.min(wanted, FIRST_CHUNK);
  let coming: Promise<ReadChunk | undefined> | undefined;
  while (wanted > 0) {
    const chunk = await (coming ?? readNext(slots, size, scan));
    if (!chunk) return;
    if (scan.plan.stage !== 'COLLSCAN') scan.examined.keys += chunk.slots.length;
    size = Math.min(size * 2, LAST_CHUNK);
    coming = limited && chunk.whole ? undefined : readNext(slots, size, scan);
    // Whoever stops pulling never sees this one fail.
    coming?.catch(() => {});
    const found: Found[] = [];
    const all = exact && chunk.whole;
    for (let from = 0; from < chunk.slots.length; from += CLOCK_EVERY) {
      const to = Math.min(from + CLOCK_EVERY, chunk.slots.length);
      for (let at = from; at < to && found.length < wanted; at++) {
        const content = chunk.contents[at];
        if (content === undefined) continue;
        scan.examined.docs++;
        if (all || matches(scan.filter, content)) found.push(new Found(chunk.slots[at]!.recordId, content, metaOf));
      }
      if (clock.monotonic() - begun < TURN_MS) continue;
      await giveWay(clock);
      begun = clock.monotonic();
    }
    scan.examined.matched += found.length;
    wanted -= found.length;
    // Also when it is empty: whoever pulls may want to stop.
    yield found;
    await giveWay(clock);
    begun = clock.monotonic();
  }
}

/** The matches in a page of a log that is read as it stands. */
export function matchesIn(page: LiveEntry[], filter: Filter): Found[] {
  const wanted = filter.source.size === 0 ? page : page.filter(({ bytes }) => matches(filter, bytes));
  return wanted.map(({ recordId, bytes }) => new Found(recordId, bytes));
}

/** Documents that are looked at together. Lists beside each other, for there are many documents. */
interface ReadChunk {
  readonly slots: readonly Slot[];
  /** Nothing had to be fetched: all are as they were when the plan gave them. */
  readonly whole: boolean;
  /** Undefined where there is no document any more, or none yet. */
  readonly contents: readonly (Content | undefined)[];
}

/** The next `size` of the plan's slots, with what is in memory of them, and what is not fetched; undefined at the end. */
async function readNext(coming: Iterator<Slot>, size: number, scan: Scan): Promise<ReadChunk | undefined> {
  const { loaded, read } = scan;
  const { collection, reader } = loaded;
  // What was thrown away would end here as if it had been all.
  collection.checkAlive();
  const { unsettled } = collection;
  // Of documents that are being changed at this moment, mostly none, what Discord holds.
  const changing = read === 'durable' && unsettled.size > 0;
  const slots: Slot[] = [];
  const contents: (Content | undefined)[] = [];
  const absent: Slot[] = [];
  const versions = new Map<number, Version | undefined>();
  let whole = true;
  while (slots.length < size) {
    const { value: slot, done } = coming.next();
    if (done) break;
    let content: Content | undefined;
    if (changing && unsettled.has(slot.recordId)) {
      const version = unsettled.get(slot.recordId)?.durable;
      versions.set(slots.length, version);
      content = version?.bytes;
      whole &&= content !== undefined;
    } else {
      content = collection.contentOf(slot);
      if (content === undefined) {
        whole = false;
        if (!slot.deleted) absent.push(slot);
      }
      // A durable read shows what was deleted since.
      if (slot.deleted && read !== 'durable') content = undefined;
    }
    slots.push(slot);
    contents.push(content);
  }
  if (slots.length === 0) return undefined;
  if (whole) return { slots, whole, contents };
  const fetched = absent.length > 0 ? await reader.readAll(absent) : undefined;
  for (const [at, slot] of slots.entries()) {
    collection.checkAlive();
    contents[at] ??= await fetchedBytes(scan, slot, versions.get(at), fetched?.get(slot)?.bytes);
    if (read !== 'durable' && slot.deleted) contents[at] = undefined;
  }
  return { slots, whole, contents };
}

/**
 * What a fetch brought; for a durable read what Discord holds, where the document was changed during the fetch. Where the
 * version that was durable has been removed since, another one is.
 */
async function fetchedBytes(
  { loaded, read }: Scan,
  slot: Slot,
  version: Version | undefined,
  newest: Uint8Array | undefined,
): Promise<Uint8Array | undefined> {
  const { collection, reader } = loaded;
  const change = () => (read === 'durable' ? collection.unsettled.get(slot.recordId) : undefined);
  let durable = version ?? change()?.durable;
  if (!durable) return change() || slot.deleted ? undefined : newest;
  while (durable) {
    const bytes = await reader.readVersion(durable);
    if (bytes) return bytes;
    collection.checkAlive();
    const next = change()?.durable;
    if (next === durable) throw new StoreError('gone', `record ${durable.record.seq} was removed, and still counts`);
    durable = next;
  }
  return change() || slot.deleted ? undefined : (await reader.readAll([slot])).get(slot)?.bytes;
}
