import type { Doc, Value } from '../../bson/index.ts';
import type { PipelineContext } from '../types.ts';
import { roomFor, sortTooLarge } from './memory.ts';
import { Sorter, type SortWork } from './sorter.ts';
import { KEYED, type Keyed } from './spool.ts';
import type { Stream } from './stage.ts';

export interface KeyedSort {
  /** Asked once of each document, in the order in which they come. */
  keyOf(doc: Doc): Value;
  compare(left: Keyed, right: Keyed): number;
  /** How many are wanted, from the front; absent: all. */
  readonly keep?: number;
  readonly work?: SortWork;
}

/** Documents with keys, sorted within what a `$sort` may hold. */
export async function* sortedByKey(
  source: Stream,
  context: PipelineContext,
  { keyOf, keep = Number.POSITIVE_INFINITY, ...options }: KeyedSort,
): AsyncGenerator<Keyed[]> {
  const room = roomFor(context, 'sort', sortTooLarge);
  const sorter = new Sorter<Keyed>({ ...room, ...options, keep, size: ({ doc }) => room.size(doc), codec: KEYED });
  try {
    for await (const batch of source) await sorter.add(batch.map((doc) => ({ doc, key: keyOf(doc) })));
    yield* sorter.sorted();
  } finally {
    await sorter.close();
  }
}
