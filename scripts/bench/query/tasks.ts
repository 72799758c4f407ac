import { aggregate, Query, updateOne } from 'mingo';
import { GROUPS, type Owner, type Thing } from './data.ts';
import type { Discodb } from './discodb.ts';

/** What the other two sides work on: plain objects in an array, decoded already. */
export interface Plain {
  readonly things: Thing[];
  readonly owners: Owner[];
}

/** One task three times over; each way answers with how many documents it found, changed or made. `turn` grows from 0. */
export interface Task {
  readonly name: string;
  discodb(side: Discodb, turn: number): Promise<number>;
  mingo(plain: Plain, turn: number): number;
  byHand(plain: Plain, turn: number): number;
}

const RANGE = 100;
const PAGE = 20;
const DEEP = 1000;

const spread = (turn: number, count: number) => (turn * 7907) % count;

/** A task that is one filter. */
function filtered(name: string, filter: (turn: number, count: number) => object, test: FilterTest): Task {
  return {
    name,
    discodb: (side, turn) => side.find(filter(turn, side.count)),
    mingo: ({ things }, turn) => new Query(filter(turn, things.length)).find(things).all().length,
    byHand: ({ things }, turn) => things.filter(test(turn, things.length)).length,
  };
}

type FilterTest = (turn: number, count: number) => (thing: Thing) => boolean;

/** What an index answers: also asked of smaller collections, for it must not grow with them. */
export const INDEXED: readonly Task[] = [
  filtered(
    'point by _id',
    (turn, count) => ({ _id: spread(turn, count) }),
    (turn, count) => (thing) => thing._id === spread(turn, count),
  ),
  filtered(
    'point by an index',
    (turn, count) => ({ rank: spread(turn, count) }),
    (turn, count) => (thing) => thing.rank === spread(turn, count),
  ),
  filtered(
    'range of 100 by an index',
    (turn, count) => ({ rank: { $gte: spread(turn, count - RANGE), $lt: spread(turn, count - RANGE) + RANGE } }),
    (turn, count) => {
      const from = spread(turn, count - RANGE);
      return ({ rank }) => rank >= from && rank < from + RANGE;
    },
  ),
  {
    name: 'update of one, by an index',
    discodb: (side, turn) => side.update({ rank: spread(turn, side.count) }, { $inc: { count: 1 } }),
    mingo: ({ things }, turn) =>
      updateOne(
        things as unknown as Record<string, unknown>[],
        { rank: spread(turn, things.length) },
        { $inc: { count: 1 } },
      ).modifiedCount,
    byHand: ({ things }, turn) => {
      const wanted = spread(turn, things.length);
      const found = things.find(({ rank }) => rank === wanted);
      if (found) found.count++;
      return found ? 1 : 0;
    },
  },
];

const byRank = (left: Thing, right: Thing) => left.rank - right.rank;
const byPrice = (left: Thing, right: Thing) => left.price - right.price;

/** The other tasks, which look at many documents. */
export const OVER_MANY: readonly Task[] = [
  {
    name: 'sorted page of 20 behind 1,000, by an index',
    discodb: (side) => side.find({}, { sort: { rank: 1 }, skip: DEEP, limit: PAGE }),
    mingo: ({ things }) => new Query({}).find(things).sort({ rank: 1 }).skip(DEEP).limit(PAGE).all().length,
    byHand: ({ things }) => [...things].sort(byRank).slice(DEEP, DEEP + PAGE).length,
  },
  {
    name: 'sorted page of 20, no index',
    discodb: (side) => side.find({}, { sort: { price: 1 }, limit: PAGE }),
    mingo: ({ things }) => new Query({}).find(things).sort({ price: 1 }).limit(PAGE).all().length,
    byHand: ({ things }) => [...things].sort(byPrice).slice(0, PAGE).length,
  },
  filtered(
    'filter over all: a number',
    (turn) => ({ owner: turn % 1000 }),
    (turn) => (thing) => thing.owner === turn % 1000,
  ),
  filtered(
    'filter over all: a range and a text',
    (turn) => ({ price: { $gt: turn % 100, $lte: (turn % 100) + 500 }, 'place.city': 'Delft' }),
    (turn) => (thing) => thing.price > turn % 100 && thing.price <= (turn % 100) + 500 && thing.place.city === 'Delft',
  ),
  filtered(
    'filter over all: an element of an array',
    () => ({ tags: 'steel' }),
    () => (thing) => thing.tags.includes('steel'),
  ),
  filtered(
    'filter over all: $or of three',
    () => ({ $or: [{ group: 7 }, { 'place.floor': { $gte: 38 } }, { price: { $lt: 1 } }] }),
    () => (thing) => thing.group === 7 || thing.place.floor >= 38 || thing.price < 1,
  ),
  filtered(
    'filter over all: a regular expression',
    () => ({ name: { $regex: '77$' } }),
    () => (thing) => /77$/.test(thing.name),
  ),
  {
    name: `$group into ${GROUPS}, $sum and $avg`,
    discodb: (side) => side.aggregate(GROUP),
    mingo: ({ things }) => aggregate(things, GROUP).length,
    byHand: ({ things }) => {
      const groups = new Map<number, { sum: number; count: number }>();
      for (const { group, price } of things) {
        const found = groups.get(group);
        if (found) {
          found.sum += price;
          found.count++;
        } else groups.set(group, { sum: price, count: 1 });
      }
      return groups.size;
    },
  },
  {
    name: '$lookup of the 1,000 owners of 1,000',
    discodb: (side) => side.aggregate(lookup('owners')),
    mingo: ({ things, owners }) => aggregate(things, lookup(owners)).length,
    byHand: ({ things, owners }) =>
      things
        .filter(({ group }) => group < JOINED_GROUPS)
        .map((thing) => ({ ...thing, owned: owners.filter(({ _id }) => _id === thing.owner) })).length,
  },
];

const JOINED_GROUPS = 1;

const GROUP = [{ $group: { _id: '$group', total: { $sum: '$price' }, mean: { $avg: '$price' } } }];

/** mingo takes the other collection itself. */
function lookup(from: string | Owner[]) {
  return [
    { $match: { group: { $lt: JOINED_GROUPS } } },
    { $lookup: { from, localField: 'owner', foreignField: '_id', as: 'owned' } },
  ];
}
