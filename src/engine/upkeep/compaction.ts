import { type Clock, giveWay } from '../../base/index.ts';
import { encode } from '../../bson/index.ts';
import type { Entry, Log, Placement, RecordRef } from '../../log/index.ts';
import type { Loaded } from '../handle.ts';
import type { Slot } from '../slot.ts';
import { PACK_BYTES, SLOTS_A_STEP, standingOf } from './packing.ts';

/** Rounds in which what changed meanwhile is copied while clients wait; each takes a few requests. */
const ROUNDS_MAX = 4;
const NO_DOCUMENT = encode(new Map());

/** A version that stands in the new log too. */
interface Copy {
  readonly record: RecordRef;
  readonly index: number;
  readonly place: Placement;
}

/**
 * Copies the newest version of every document into another, empty log, in natural order, while clients go on: most of it
 * in spare budget, and then, while new commands wait, what was changed meanwhile. The moment of the move is one step, in
 * which nothing is on its way. What was copied counts for nothing until then, so a crash before loses only the work.
 */
export class Compaction {
  readonly #clock: Clock;
  readonly #loaded: Loaded;
  readonly #to: Log;
  readonly #readable: number;
  readonly #goesOn: () => boolean;
  readonly #copies = new Map<Slot, Copy>();
  #newestCopied = 0;

  /** The newest `readable` documents get records of their own, so that a person can read them. */
  constructor(clock: Clock, loaded: Loaded, to: Log, readable: number, goesOn: () => boolean) {
    this.#clock = clock;
    this.#readable = readable;
    this.#loaded = loaded;
    this.#to = to;
    this.#goesOn = goesOn;
  }

  /** Copies what is there. False where `goesOn` ended it. */
  async copy(): Promise<boolean> {
    await this.#copyChanged(this.#readable);
    return this.#goesOn();
  }

  /**
   * Copies the rest, and moves: `enter` makes the new log the one that counts. False where clients changed documents in
   * every round, or `goesOn` ended it.
   */
  async finish(enter: () => Promise<void>): Promise<boolean> {
    const { collection, retries } = this.#loaded;
    const open = collection.shut();
    try {
      for (let round = 0; round < ROUNDS_MAX && this.#goesOn(); round++) {
        // Also what a former owner has on its way there can come to light no more, should this process fail.
        await collection.log.fence();
        const { commits } = collection;
        await this.#copyChanged(0);
        await this.#to.append([], retries.marks()).durable;
        await this.#to.fence();
        collection.checkAlive();
        if (!this.#goesOn() || collection.commits !== commits || collection.unsettled.size > 0) continue;
        const entered = enter();
        collection.moveTo(this.#to, new Map([...this.#copies].map(([slot, { place }]) => [slot, place])), entered);
        await entered;
        return true;
      }
      return false;
    } finally {
      open();
    }
  }

  async #copyChanged(readable: number): Promise<void> {
    const { collection } = this.#loaded;
    const changed = await this.#changed();
    let group: Slot[] = [];
    let bytes = 0;
    for (const [at, slot] of changed.entries()) {
      const alone = at >= changed.length - readable;
      if (group.length > 0 && (alone || bytes + slot.size > PACK_BYTES)) {
        await this.#write(group);
        group = [];
        bytes = 0;
      }
      if (!this.#goesOn()) return;
      collection.checkAlive();
      group.push(slot);
      bytes += slot.size;
    }
    if (group.length > 0) await this.#write(group);
  }

  /** Slots whose newest version is not copied, in natural order, and copied ones that have been deleted since. */
  async #changed(): Promise<Slot[]> {
    const changed: Slot[] = [];
    let step = 0;
    for (const slot of this.#loaded.collection.slots.values()) {
      if (!slot.deleted && !this.#isCopied(slot)) changed.push(slot);
      if (++step % SLOTS_A_STEP === 0) await giveWay(this.#clock);
    }
    for (const slot of this.#copies.keys()) {
      if (slot.deleted) changed.push(slot);
      if (++step % SLOTS_A_STEP === 0) await giveWay(this.#clock);
    }
    return changed;
  }

  #isCopied(slot: Slot): boolean {
    const copy = this.#copies.get(slot);
    return copy !== undefined && copy.record === slot.record && copy.index === slot.index;
  }

  async #write(group: readonly Slot[]): Promise<void> {
    const { collection } = this.#loaded;
    const standing = await standingOf(collection, group);
    await this.#to.appendLast((append) => {
      // Looked at again at the moment of writing.
      const puts = standing
        .filter(({ slot, record, index }) => !slot.deleted && slot.record === record && slot.index === index)
        .sort((left, right) => left.slot.recordId - right.slot.recordId);
      const gone = group.filter((slot) => slot.deleted && this.#copies.has(slot));
      const late = puts.filter(({ slot }) => !this.#copies.has(slot) && slot.recordId < this.#newestCopied);
      // A log without deletions and later versions is read as if its records stood in natural order.
      const outOfOrder = late.slice(0, 1).map(({ slot }) => this.#entry(slot, 'delete', NO_DOCUMENT));
      const { placements } = append([
        ...outOfOrder,
        ...puts.map(({ slot, bytes }) => this.#entry(slot, 'put', bytes)),
        ...gone.map((slot) => this.#entry(slot, 'delete', NO_DOCUMENT)),
      ]);
      for (const [at, { slot, record, index }] of puts.entries()) {
        this.#copies.set(slot, { record, index, place: placements[outOfOrder.length + at]! });
        this.#newestCopied = Math.max(this.#newestCopied, slot.recordId);
      }
      for (const slot of gone) this.#copies.delete(slot);
    });
  }

  #entry(slot: Slot, op: Entry['op'], bytes: Uint8Array): Entry {
    const { recordId } = slot;
    const previous = this.#copies.get(slot)?.place;
    return previous ? { op, recordId, bytes, previous } : { op, recordId, bytes };
  }
}
