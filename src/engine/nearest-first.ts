import type { Found } from './found.ts';
import type { Ring } from './plans/plan.ts';
import type { Slot } from './slot.ts';
import { type Order, type Sorting, sorted } from './sorted.ts';

/**
 * The matches of a plan that goes outwards from a point, in its order. A ring is looked at when all that is known to be
 * nearer has been taken. What lies farther away than its ring reaches waits for the next one: it is sorted with that one's.
 */
export async function* nearestFirst(
  rings: Iterable<Ring>,
  scan: (slots: Iterable<Slot>) => AsyncGenerator<Found[]>,
  order: Order,
  sorting: Sorting,
): AsyncGenerator<Found[]> {
  let farther = nothing();
  try {
    for (const { slots, reached } of rings) {
      const ring = sorted(both(farther, scan(slots)), order, sorting);
      farther = ring;
      for (;;) {
        const { value: batch, done } = await ring.next();
        if (done) break;
        const split = batch.findIndex(({ meta }) => (meta?.geoNearDistance ?? 0) > reached);
        yield split === -1 ? batch : batch.slice(0, split);
        if (split === -1) continue;
        farther = both(one(batch.slice(split)), ring);
        break;
      }
    }
    yield* farther;
  } finally {
    await farther.return(undefined);
  }
}

/** One after the other; whoever stops early ends both. */
async function* both(first: AsyncGenerator<Found[]>, second: AsyncGenerator<Found[]>): AsyncGenerator<Found[]> {
  try {
    yield* first;
    yield* second;
  } finally {
    await first.return(undefined);
    await second.return(undefined);
  }
}

async function* one(batch: Found[]): AsyncGenerator<Found[]> {
  yield batch;
}

async function* nothing(): AsyncGenerator<Found[]> {}
