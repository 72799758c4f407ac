import { BSON, type Db } from 'mongodb';
import type { RawClient } from './raw-client.ts';

export const DB = 'bench';
const BATCH = 1000;
const RANGE = 100;
/** The collection that is read and updated, and how much is in it. */
const RECORDS = 'records';
const COUNT = 10_000;
const INSERTED = 'inserted';
const INCREMENT = { $inc: { count: 1 } };
const PADDING = 'x'.repeat(121);

interface Thing {
  _id: number;
  rank: number;
  count: number;
  name: string;
  padding: string;
}

/** One operation, by the driver and by a client that is cheaper than the driver. `id` grows from 0 on, and leaves room. */
export interface Operation {
  readonly name: string;
  /** Documents that one turn writes or reads. */
  readonly documents: number;
  driver(db: Db, id: number): Promise<unknown>;
  raw(client: RawClient, id: number): Promise<unknown>;
}

/** 200 bytes of BSON. */
function thing(id: number): Thing {
  return { _id: id, rank: id, count: 0, name: `document ${String(id).padStart(10, '0')}`, padding: PADDING };
}

function things(id: number, count: number): Thing[] {
  return Array.from({ length: count }, (_, index) => thing(id + index));
}

/** Ids of inserts lie above those of the records that are read and updated. */
const fresh = (id: number) => COUNT + id;
const known = (id: number) => (id * 7919) % COUNT;
const rangeOf = (id: number) => {
  const from = known(id) % (COUNT - RANGE);
  return { rank: { $gte: from, $lt: from + RANGE } };
};

/** `_id` stands behind the size, its type and its name. */
const ID_AT = 9;
const template = Buffer.from(BSON.serialize(thing(0)));

function encoded(id: number, count: number): Buffer {
  const all = Buffer.alloc(template.length * count);
  for (let index = 0; index < count; index++) {
    template.copy(all, index * template.length);
    all.writeInt32LE(id + index, index * template.length + ID_AT);
  }
  return all;
}

const inserted = (db: Db) => db.collection<Thing>(INSERTED);
const records = (db: Db) => db.collection<Thing>(RECORDS);

function rawInsert(client: RawClient, id: number, count: number): Promise<unknown> {
  const documents = encoded(fresh(id), count);
  return client.run({ insert: INSERTED, ordered: true, $db: DB }, true, { name: 'documents', documents });
}

export const OPERATIONS: readonly Operation[] = [
  {
    name: 'insertOne',
    documents: 1,
    driver: (db, id) => inserted(db).insertOne(thing(fresh(id))),
    raw: (client, id) => rawInsert(client, id, 1),
  },
  {
    name: 'insertMany of 1,000',
    documents: BATCH,
    driver: (db, id) => inserted(db).insertMany(things(fresh(id * BATCH), BATCH)),
    raw: (client, id) => rawInsert(client, id * BATCH, BATCH),
  },
  {
    name: 'findOne by _id',
    documents: 1,
    driver: (db, id) => records(db).findOne({ _id: known(id) }),
    raw: (client, id) =>
      client.run({ find: RECORDS, filter: { _id: known(id) }, limit: 1, singleBatch: true, $db: DB }, false),
  },
  {
    name: 'find of 100 by an index',
    documents: RANGE,
    driver: (db, id) => records(db).find(rangeOf(id)).toArray(),
    raw: (client, id) => client.run({ find: RECORDS, filter: rangeOf(id), $db: DB }, false),
  },
  {
    name: 'updateOne by _id',
    documents: 1,
    driver: (db, id) => records(db).updateOne({ _id: known(id) }, INCREMENT),
    raw: (client, id) => {
      const updates = [{ q: { _id: known(id) }, u: INCREMENT }];
      return client.run({ update: RECORDS, updates, ordered: true, $db: DB }, true);
    },
  },
];

/** What is there before each measurement, and no more. */
export async function prepare(db: Db): Promise<void> {
  await db.dropDatabase();
  await records(db).createIndex({ rank: 1 });
  for (let id = 0; id < COUNT; id += BATCH) await records(db).insertMany(things(id, BATCH));
}
