import { Buffer } from 'node:buffer';
import { asBuffer, compare, type Doc, type Value } from '../../bson/index.ts';
import { located } from '../error.ts';
import { compileExpression, rootScope, type Scope } from '../expressions/index.ts';
import { exactLong, toDouble } from '../number.ts';
import { format, isDoc, isNumeric, orNull, typeName } from '../value.ts';
import { compileAccumulations, type Group } from './accumulation.ts';
import { checkRoundable, type Granularity, granularityOf } from './granularity.ts';
import { COUNT } from './group.ts';
import { roomFor, sortTooLarge } from './memory.ts';
import { Sorter, SortWork } from './sorter.ts';
import { type Codec, KEYED } from './spool.ts';
import type { Stage, StageCompiler } from './stage.ts';

const INT32_MAX = 2n ** 31n - 1n;

/**
 * `$bucketAuto`: buckets of about the same number of documents; equal values stay together. All are sorted, and then taken
 * as they come, so that no more than one bucket is held, and of that no more than there is room for.
 */
export const bucketAuto: StageCompiler = (spec, { context }) => {
  const { groupBy, buckets, output, granularity } = parse(spec);
  const by = compileExpression(groupBy, context);
  const start = compileAccumulations(output, context);
  const order = (left: Value, right: Value) => compare(left, right, context.collator);
  const entryOf = (doc: Doc, position: number): Entry => {
    const value = orNull(by(rootScope(doc)));
    if (granularity) checkRoundable(value);
    return { doc, value, position };
  };
  const work = new SortWork();
  const stage: Stage = async function* (source) {
    const room = roomFor(context, 'bucketAuto', sortTooLarge);
    const sorterBy = (compareBy: Order<Entry>) =>
      new Sorter<Entry>({
        ...room,
        size: ({ doc }) => room.size(doc),
        compare: compareBy,
        keep: Number.POSITIVE_INFINITY,
        codec: ENTRIES,
        work,
      });
    const sorter = sorterBy((left, right) => order(left.value, right.value));
    try {
      let count = 0;
      for await (const batch of source) await sorter.add(batch.map((doc) => entryOf(doc, count++)));
      const size = Math.max(1, Math.round(count / buckets));
      yield* bucketed(sorter.sorted(), { buckets, size, granularity, order, start, sorterBy });
    } finally {
      await sorter.close();
    }
  };
  return Object.assign(stage, { figures: () => work.spilling() });
};

interface Entry {
  readonly doc: Doc;
  readonly value: Value;
  /** Where it came: accumulators take documents in that order. */
  readonly position: number;
}

const POSITION_BYTES = 8;

/** The position, and the rest as any document with its key. */
const ENTRIES: Codec<Entry> = {
  encode({ doc, value, position }) {
    const place = Buffer.allocUnsafe(POSITION_BYTES);
    place.writeDoubleLE(position);
    return Buffer.concat([place, KEYED.encode({ key: value, doc })]);
  },
  decode(bytes) {
    const { key, doc } = KEYED.decode(bytes.subarray(POSITION_BYTES));
    const position = asBuffer(bytes).readDoubleLE();
    return { doc, value: key, position };
  },
};

type Order<T> = (left: T, right: T) => number;

interface Making {
  readonly buckets: number;
  /** Documents that a bucket takes before it is asked what else belongs to it. */
  readonly size: number;
  readonly granularity: Granularity | undefined;
  readonly order: Order<Value>;
  start(scope: Scope): Group;
  sorterBy(order: Order<Entry>): Sorter<Entry>;
}

/** The buckets of entries that come in order. */
async function* bucketed(sorted: AsyncIterable<Entry[]>, making: Making): AsyncGenerator<Doc[]> {
  let bucket: Bucket | undefined;
  try {
    for await (const batch of sorted) {
      const made: Doc[] = [];
      let from = 0;
      for (const [at, entry] of batch.entries()) {
        if (!bucket?.takes(entry.value)) {
          const before: Bucket | undefined = bucket;
          if (before) {
            await before.add(batch.slice(from, at));
            made.push(await before.finish(entry));
          }
          bucket = new Bucket(making, entry.value, before);
          from = at;
        }
        bucket.count(entry.value);
      }
      await bucket?.add(batch.slice(from));
      yield made;
    }
    if (bucket) yield [await bucket.finish()];
  } finally {
    await bucket?.close();
  }
}

class Bucket {
  readonly #making: Making;
  readonly #number: number;
  readonly #min: Value;
  readonly #members: Sorter<Entry>;
  #counted = 0;
  #max: Value;
  /** What its greatest value is rounded up to, once it has as many as it is to have. */
  #bound: Value;

  constructor(making: Making, first: Value, before: Bucket | undefined) {
    const { granularity, sorterBy } = making;
    this.#making = making;
    this.#number = before ? before.#number + 1 : 1;
    this.#min = granularity ? (before ? before.#max : granularity.down(first)) : first;
    this.#max = first;
    this.#members = sorterBy((left, right) => left.position - right.position);
  }

  /** Whether the next value is one of this bucket. */
  takes(value: Value): boolean {
    const { buckets, size, granularity, order } = this.#making;
    if (this.#number === buckets || this.#counted < size) return true;
    this.#bound ??= granularity?.up(this.#max);
    return order(value, this.#max) === 0 || (this.#bound !== undefined && order(this.#bound, value) > 0);
  }

  count(value: Value): void {
    this.#counted++;
    this.#max = value;
  }

  add(entries: readonly Entry[]): Promise<void> {
    return this.#members.add(entries);
  }

  /** `next` is the first that does not belong to it. */
  async finish(next?: Entry): Promise<Doc> {
    const { granularity, start } = this.#making;
    if (granularity) {
      const bound = this.#bound ?? granularity.up(this.#max);
      // A bucket of zeros alone ends right below the next one.
      this.#max = isNumeric(bound) && toDouble(bound) === 0 && next ? granularity.down(next.value) : bound;
    } else if (next) this.#max = next.value;
    // There is no key that an accumulator could begin with.
    const group = start(rootScope(new Map()));
    for await (const batch of this.#members.sorted()) for (const { doc } of batch) group.add(rootScope(doc));
    await this.close();
    const bounds: [string, Value][] = [
      ['min', this.#min],
      ['max', this.#max],
    ];
    return group.finish(new Map([['_id', new Map(bounds)]]));
  }

  close(): Promise<void> {
    return this.#members.close();
  }
}

interface BucketAutoSpec {
  readonly groupBy: Value;
  readonly buckets: number;
  readonly output: Doc;
  readonly granularity: Granularity | undefined;
}

function parse(spec: Value): BucketAutoSpec {
  if (!isDoc(spec)) {
    throw located(40240, `The argument to $bucketAuto must be an object, but found type: ${typeName(spec)}`);
  }
  let buckets: number | undefined;
  let output = COUNT;
  let granularity: Granularity | undefined;
  for (const [name, value] of spec) {
    if (name === 'groupBy') checkGroupBy(value);
    else if (name === 'buckets') buckets = bucketCount(value);
    else if (name === 'output') {
      if (!isDoc(value)) {
        throw located(40244, `The $bucketAuto 'output' field must be an object, but found type: ${typeName(value)}`);
      }
      if (value.size > 0) output = value;
    } else if (name === 'granularity') {
      if (typeof value !== 'string') {
        throw located(
          40261,
          `The $bucketAuto 'granularity' field must be a string, but found type: ${typeName(value)}`,
        );
      }
      granularity = granularityOf(value);
    } else throw located(40245, `Unrecognized option to $bucketAuto: ${name}`);
  }
  if (!spec.has('groupBy') || buckets === undefined) {
    throw located(40246, "$bucketAuto requires 'groupBy' and 'buckets' to be specified");
  }
  return { groupBy: spec.get('groupBy'), buckets, output, granularity };
}

function checkGroupBy(value: Value): void {
  const isPath = typeof value === 'string' && value.startsWith('$') && value.length > 1;
  if (isPath || (isDoc(value) && value.keys().next().value?.startsWith('$'))) return;
  throw located(
    40239,
    `The $bucketAuto 'groupBy' field must be defined as a $-prefixed path or an expression object, but found: ${format(value)}`,
  );
}

function bucketCount(value: Value): number {
  if (!isNumeric(value)) {
    throw located(40241, `The $bucketAuto 'buckets' field must be a numeric value, but found type: ${typeName(value)}`);
  }
  const count = exactLong(value);
  if (count === undefined || count > INT32_MAX || count < -INT32_MAX - 1n) {
    throw located(
      40242,
      `The $bucketAuto 'buckets' field must be representable as a 32-bit integer, but found ${toDouble(value)}`,
    );
  }
  if (count <= 0n) {
    throw located(40243, `The $bucketAuto 'buckets' field must be greater than 0, but found: ${count}`);
  }
  return Number(count);
}
