import type { Clock } from '../base/index.ts';
import { type Doc, decode, decodeOnly } from '../bson/index.ts';
import type { LiveEntry } from '../log/index.ts';
import type { Filter } from '../query/index.ts';
import type { Loaded } from './handle.ts';
import type { Plan } from './planner.ts';
import type { Slot, Version } from './slot.ts';

/** A document on its way to a client: the bytes it is stored with, decoded once somebody needs that. */
export class Found {
  readonly recordId: number;
  readonly bytes: Uint8Array;
  #doc: Doc | undefined;

  constructor(recordId: number, bytes: Uint8Array) {
    this.recordId = recordId;
    this.bytes = bytes;
  }

  get doc(): Doc {
    this.#doc ??= decode(this.bytes);
    return this.#doc;
  }

  /** Decodes no more than the filter asks for. */
  matches(filter: Filter): boolean {
    return filter.matches(this.#doc || !filter.fields ? this.doc : decodeOnly(this.bytes, filter.fields));
  }
}

/** Counts for `explain`. */
export interface Examined {
  keys: number;
  docs: number;
}

/** How long a scan may match documents while other commands wait. */
const TURN_MS = 10;

/** Candidates looked at in one step: few at first, for a `limit` that is soon reached, then more. */
const FIRST_CHUNK = 16;
const LAST_CHUNK = 512;

export interface Scan {
  readonly clock: Clock;
  readonly loaded: Loaded;
  readonly filter: Filter;
  readonly plan: Plan;
  readonly read: 'local' | 'durable';
  readonly examined: Examined;
}

/**
 * The matches among a plan's candidates, chunk by chunk, in the plan's order. The next chunk's evicted documents are
 * fetched while the caller works on this one. Other commands get their turn between chunks, and within one that takes long.
 */
export async function* scanLoaded(scan: Scan): AsyncGenerator<Found[]> {
  const { clock } = scan;
  const others = () => new Promise<void>((resolve) => clock.soon(resolve));
  // What a durable read adds to the plan's slots is no answer of the plan.
  const exact = (scan.plan.exact && scan.read === 'local') || scan.filter.source.size === 0;
  let begun = clock.monotonic();
  const chunks = chunked(candidates(scan));
  let coming = readNext(chunks, scan);
  for (;;) {
    const versions = await coming;
    if (!versions) return;
    coming = readNext(chunks, scan);
    // Whoever stops pulling never sees this one fail.
    coming.catch(() => {});
    const found: Found[] = [];
    for (const candidate of versions) {
      scan.examined.docs++;
      if (exact || candidate.matches(scan.filter)) found.push(candidate);
      if (clock.monotonic() - begun < TURN_MS) continue;
      await others();
      begun = clock.monotonic();
    }
    // Also when it is empty: whoever pulls may want to stop.
    yield found;
    await others();
    begun = clock.monotonic();
  }
}

/** The matches in a log that is read as it stands, page by page. */
export async function* scanLog(pages: AsyncIterable<LiveEntry[]>, filter: Filter): AsyncGenerator<Found[]> {
  for await (const page of pages) {
    const found = page.map(({ recordId, bytes }) => new Found(recordId, bytes));
    yield filter.source.size === 0 ? found : found.filter((each) => each.matches(filter));
  }
}

interface Candidate {
  readonly slot: Slot;
  /** Set where the version to read is not the newest. */
  readonly version: Version | undefined;
}

/** The plan's slots; for a durable read with what Discord still holds of documents that changed. */
function* candidates({ loaded, plan, read, examined }: Scan): Iterable<Candidate> {
  const { unsettled } = loaded.collection;
  const counted = plan.stage !== 'COLLSCAN';
  if (read === 'local' || unsettled.size === 0) {
    for (const slot of plan.slots()) {
      if (counted) examined.keys++;
      yield { slot, version: undefined };
    }
    return;
  }
  const slots = new Set(plan.slots());
  for (const { slot } of unsettled.values()) slots.add(slot);
  for (const slot of [...slots].sort((left, right) => left.recordId - right.recordId)) {
    const change = unsettled.get(slot.recordId);
    if (!change) yield { slot, version: undefined };
    else if (change.durable) yield { slot, version: change.durable };
  }
}

function* chunked(all: Iterable<Candidate>): Generator<Candidate[], undefined> {
  let size = FIRST_CHUNK;
  let chunk: Candidate[] = [];
  for (const candidate of all) {
    chunk.push(candidate);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
    size = Math.min(size * 2, LAST_CHUNK);
  }
  if (chunk.length > 0) yield chunk;
}

async function readNext(chunks: Iterator<Candidate[], undefined>, scan: Scan): Promise<Found[] | undefined> {
  const { loaded, read } = scan;
  const { collection, reader } = loaded;
  collection.checkAlive();
  const { value: chunk } = chunks.next();
  if (!chunk) return undefined;
  const absent: Slot[] = [];
  const known = chunk.map(({ slot, version }) => {
    const bytes = version ? version.bytes : collection.bytesOf(slot);
    if (!bytes && !version && !slot.deleted) absent.push(slot);
    return bytes;
  });
  const fetched = absent.length > 0 ? await reader.readAll(absent) : undefined;
  const found: Found[] = [];
  for (const [at, { slot, version }] of chunk.entries()) {
    collection.checkAlive();
    const bytes = known[at] ?? (await fetchedBytes(scan, { slot, version }, fetched?.get(slot)?.bytes));
    if (bytes && (read === 'durable' || !slot.deleted)) found.push(new Found(slot.recordId, bytes));
  }
  return found;
}

/** What a fetch brought; for a durable read what Discord holds, where the document was changed during the fetch. */
async function fetchedBytes(
  { loaded, read }: Scan,
  { slot, version }: Candidate,
  newest: Uint8Array | undefined,
): Promise<Uint8Array | undefined> {
  const change = read === 'durable' ? loaded.collection.unsettled.get(slot.recordId) : undefined;
  const durable = version ?? change?.durable;
  if (durable) return loaded.reader.readVersion(durable);
  return change || slot.deleted ? undefined : newest;
}
