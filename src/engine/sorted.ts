import type { Scratch } from '../base/index.ts';
import { type Doc, FieldReader } from '../bson/index.ts';
import { type Codec, type Comparator, type Metadata, roomFor, Sorter, sortTooLarge } from '../query/index.ts';
import type { FindQuery } from './contract.ts';
import { type Examined, Found } from './found.ts';
import type { Plan } from './plans/plan.ts';

/** Compares what a match is sorted by, which is mostly a small part of it. */
export interface Order {
  /** The fields that are looked at. */
  readonly fields: ReadonlySet<string>;
  compare(left: Doc, right: Doc, leftMeta: Metadata | undefined, rightMeta: Metadata | undefined): number;
}

export function byDocument(compare: Comparator, sort: Doc): Order {
  return { compare, fields: new Set([...sort.keys()].map((path) => path.split('.')[0]!)) };
}

/** The plan's own order, where it has one. */
export function byMetadata({ order }: Plan): Order | undefined {
  return order && { compare: (_, __, left, right) => order(left ?? {}, right ?? {}), fields: new Set() };
}

export interface Sorting {
  readonly query: FindQuery;
  readonly examined: Examined;
  readonly scratch: Scratch | undefined;
  readonly metaOf?: Plan['meta'];
}

/** A match that waits to be sorted. */
interface Held {
  readonly found: Found;
  /** What it is sorted by. */
  readonly key: Doc;
  readonly meta: Metadata | undefined;
}

/** A blocking sort; with a limit it holds no more than twice that many documents, and beyond 100 MB it goes to a file. */
export async function* sorted(
  scan: AsyncIterable<Found[]>,
  order: Order,
  { query, examined, scratch, metaOf }: Sorting,
): AsyncGenerator<Found[]> {
  const { skip, allowDiskUse, context } = query;
  const { limit, beyond } = roomFor({ allowDiskUse, limits: context.limits, scratch }, 'sort', sortTooLarge);
  const reader = new FieldReader(order.fields);
  const hold = (found: Found): Held => ({ found, key: found.only(reader), meta: found.meta });
  const sorter = new Sorter<Held>({
    compare: (left, right) =>
      order.compare(left.key, right.key, left.meta, right.meta) || left.found.recordId - right.found.recordId,
    keep: query.limit === 0 ? Number.POSITIVE_INFINITY : skip + query.limit,
    size: ({ found }) => found.size,
    limit,
    beyond,
    codec: matches(hold, metaOf),
    work: examined.sort,
  });
  try {
    for await (const batch of scan) {
      await sorter.add(batch.map(hold));
      // Nothing is known yet, but whoever pulls may want to stop.
      yield [];
    }
    for await (const batch of sorter.sorted()) yield batch.map(({ found }) => found);
  } finally {
    await sorter.close();
  }
}

const RECORD_ID_BYTES = 8;

/** The record's id, then the document as it is. */
function matches(hold: (found: Found) => Held, metaOf: Plan['meta']): Codec<Held> {
  return {
    encode({ found: { recordId, bytes } }) {
      const head = Buffer.allocUnsafe(RECORD_ID_BYTES);
      head.writeDoubleBE(recordId);
      return Buffer.concat([head, bytes]);
    },
    decode(bytes) {
      const recordId = Buffer.from(bytes.buffer, bytes.byteOffset, RECORD_ID_BYTES).readDoubleBE();
      // A copy, so that one document does not hold on to its neighbours.
      return hold(new Found(recordId, new Uint8Array(bytes.subarray(RECORD_ID_BYTES)), metaOf));
    },
  };
}
