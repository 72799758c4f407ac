import mongoose, { type Connection, type InferSchemaType, type Model, Schema, type Types } from 'mongoose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer, type TestServer } from '../support/server.ts';

/** A Mongoose application on the embedded Discord. */
let server: TestServer;
let shop: Connection;

const authorSchema = new Schema(
  {
    name: { type: String, required: true, trim: true },
    mail: { type: String, unique: true, lowercase: true },
    born: Date,
    balance: Schema.Types.Decimal128,
    tags: [String],
    address: { street: String, city: { type: String, default: 'Kraków' } },
  },
  { timestamps: true, toJSON: { virtuals: true } },
);
authorSchema.virtual('initials').get(function () {
  return this.name
    .split(' ')
    .map((word) => word[0])
    .join('');
});
authorSchema.virtual('books', { ref: 'Book', localField: '_id', foreignField: 'author' });

const bookSchema = new Schema(
  {
    title: { type: String, index: true },
    author: { type: Schema.Types.ObjectId, ref: 'Author' },
    pages: { type: Number, min: 1 },
    reviews: [new Schema({ stars: Number, text: String })],
    saved: [String],
  },
  { optimisticConcurrency: true },
);
bookSchema.pre('save', function () {
  this.saved.push('before');
});
bookSchema.post('save', (doc) => {
  heard.push(doc.title ?? '');
});
bookSchema.pre('findOneAndUpdate', function () {
  this.set({ pages: 77 });
});
bookSchema.index({ author: 1, pages: -1 });

const heard: string[] = [];
let Author: Model<InferSchemaType<typeof authorSchema>>;
let Book: Model<InferSchemaType<typeof bookSchema>>;

beforeAll(async () => {
  server = await startServer();
  shop = await mongoose.createConnection(server.uri, { dbName: 'shop' }).asPromise();
  Author = shop.model('Author', authorSchema) as unknown as typeof Author;
  Book = shop.model('Book', bookSchema) as unknown as typeof Book;
  await Promise.all([Author.init(), Book.init()]);
});

afterAll(async () => {
  await shop?.close();
  await server?.close();
});

describe('documents', () => {
  test('are cast, get defaults and timestamps, and come back the same', async () => {
    const made = await Author.create({
      name: '  Ada Lovelace ',
      mail: 'ADA@Example.org',
      born: '1815-12-10' as unknown as Date,
      balance: '12.340' as unknown as Types.Decimal128,
      tags: ['math'],
    });
    const found = await Author.findById(made._id).orFail();
    expect(found.toObject()).toEqual(made.toObject());
    expect(found).toMatchObject({ name: 'Ada Lovelace', mail: 'ada@example.org', address: { city: 'Kraków' } });
    expect(found.balance?.toString()).toBe('12.340');
    expect(found.born).toEqual(new Date('1815-12-10'));
    expect(found.createdAt).toEqual(found.updatedAt);
    expect(found.toJSON()).toMatchObject({ initials: 'AL' });
    found.set('address.street', 'Rynek');
    found.tags.push('engines');
    await found.save();
    const again = await Author.findOne({ tags: 'engines' }).orFail();
    expect(again.address).toMatchObject({ street: 'Rynek', city: 'Kraków' });
    expect(again.updatedAt.getTime()).toBeGreaterThanOrEqual(again.createdAt.getTime());
    expect(again.__v).toBe(1);
  });

  test('are validated before they are sent', async () => {
    await server.requests();
    await expect(Author.create({ mail: 'nobody@example.org' })).rejects.toBeInstanceOf(mongoose.Error.ValidationError);
    expect(await server.requests()).toEqual({});
  });

  test('with a value that is taken fail with the key', async () => {
    await Author.create({ name: 'First', mail: 'same@example.org' });
    await expect(Author.create({ name: 'Second', mail: 'Same@example.org' })).rejects.toMatchObject({
      name: 'MongoServerError',
      code: 11000,
      keyPattern: { mail: 1 },
      keyValue: { mail: 'same@example.org' },
    });
  });

  test('that were saved by somebody else meanwhile are not overwritten', async () => {
    const { _id } = await Book.create({ title: 'Versions', pages: 5 });
    const [mine, theirs] = await Promise.all([Book.findById(_id).orFail(), Book.findById(_id).orFail()]);
    theirs.pages = 6;
    await theirs.save();
    mine.pages = 7;
    await expect(mine.save()).rejects.toBeInstanceOf(mongoose.Error.VersionError);
    expect((await Book.findById(_id).orFail()).pages).toBe(6);
  });

  test('run their hooks', async () => {
    const book = await Book.create({ title: 'Hooks', pages: 1 });
    expect(heard.at(-1)).toBe('Hooks');
    expect((await Book.findById(book._id).orFail()).saved).toEqual(['before']);
    const updated = await Book.findOneAndUpdate({ _id: book._id }, { title: 'Hooked' }, { returnDocument: 'after' });
    expect(updated).toMatchObject({ title: 'Hooked', pages: 77 });
  });

  test('with subdocuments change one by one', async () => {
    const book = await Book.create({ title: 'Reviews', reviews: [{ stars: 1 }, { stars: 5, text: 'fine' }] });
    book.reviews.id(book.reviews[0]!._id!)!.set({ stars: 2 });
    book.reviews.push({ stars: 4 });
    await book.save();
    await Book.updateOne({ _id: book._id, 'reviews.stars': 5 }, { $set: { 'reviews.$.text': 'great' } });
    const { reviews } = await Book.findById(book._id).orFail().lean();
    expect(reviews.map(({ stars, text }) => [stars, text])).toEqual([
      [2, undefined],
      [5, 'great'],
      [4, undefined],
    ]);
  });
});

describe('queries', () => {
  test('populate, forwards and backwards', async () => {
    const author = await Author.create({ name: 'Stanisław Lem', mail: 'lem@example.org' });
    await Book.insertMany([
      { title: 'Solaris', author: author._id, pages: 204 },
      { title: 'Cyberiada', author: author._id, pages: 300 },
    ]);
    const book = await Book.findOne({ title: 'Solaris' })
      .populate<{ author: { name: string } }>('author', 'name')
      .orFail();
    expect(book.author.name).toBe('Stanisław Lem');
    const withBooks = await Author.findById(author._id)
      .populate<{ books: { title: string }[] }>({ path: 'books', options: { sort: { pages: -1 } } })
      .orFail();
    expect(withBooks.books.map(({ title }) => title)).toEqual(['Cyberiada', 'Solaris']);
  });

  test('upsert with defaults', async () => {
    const options = { upsert: true, returnDocument: 'after', setDefaultsOnInsert: true } as const;
    const made = await Author.findOneAndUpdate({ mail: 'new@example.org' }, { name: 'New' }, options).orFail();
    expect(made).toMatchObject({ name: 'New', mail: 'new@example.org', address: { city: 'Kraków' } });
    expect(made.createdAt).toBeInstanceOf(Date);
    const same = await Author.findOneAndUpdate({ mail: 'new@example.org' }, { name: 'Newer' }, options).orFail();
    expect(same._id).toEqual(made._id);
    expect(same.createdAt).toEqual(made.createdAt);
  });

  test('stream, and skip the document classes when lean', async () => {
    const Row = shop.model('Row', new Schema({ n: Number }));
    await Row.insertMany(Array.from({ length: 300 }, (_, n) => ({ n })));
    let sum = 0;
    for await (const row of Row.find().batchSize(50).cursor()) sum += row.n ?? 0;
    expect(sum).toBe(44_850);
    const lean = await Row.find({ n: { $lt: 2 } }, { _id: 0, __v: 0 })
      .sort('-n')
      .lean();
    expect(lean).toEqual([{ n: 1 }, { n: 0 }]);
    expect(await Row.countDocuments({ n: { $gte: 290 } })).toBe(10);
    expect(await Row.estimatedDocumentCount()).toBe(300);
    expect(await Row.distinct('n', { n: { $lt: 3 } })).toEqual([0, 1, 2]);
    expect(await Row.exists({ n: 299 })).not.toBeNull();
    expect(await Row.deleteMany({ n: { $gte: 10 } })).toMatchObject({ deletedCount: 290 });
  });

  test('aggregate, and write in bulk', async () => {
    const Sale = shop.model('Sale', new Schema({ who: String, what: { kind: String, price: Number } }));
    const result = await Sale.bulkWrite([
      { insertOne: { document: { who: 'a', what: { kind: 'x', price: 2 } } } },
      { insertOne: { document: { who: 'b', what: { kind: 'x', price: 3 } } } },
      { updateOne: { filter: { who: 'c' }, update: { $set: { 'what.price': 10 } }, upsert: true } },
      { updateMany: { filter: { 'what.kind': 'x' }, update: { $inc: { 'what.price': 1 } } } },
      { deleteOne: { filter: { who: 'b' } } },
    ]);
    expect(result).toMatchObject({ insertedCount: 2, modifiedCount: 2, upsertedCount: 1, deletedCount: 1 });
    const totals = await Sale.aggregate([
      { $group: { _id: null, total: { $sum: '$what.price' }, who: { $addToSet: '$who' } } },
      { $project: { _id: 0, total: 1, count: { $size: '$who' } } },
    ]);
    expect(totals).toEqual([{ total: 13, count: 2 }]);
  });

  test('discriminators share a collection', async () => {
    const Event = shop.model('Event', new Schema({ at: Date }, { discriminatorKey: 'kind' }));
    const Click = Event.discriminator('Click', new Schema({ url: String }));
    const SignUp = Event.discriminator('SignUp', new Schema({ user: String }));
    await Promise.all([Click.create({ url: '/' }), Click.create({ url: '/a' }), SignUp.create({ user: 'u' })]);
    expect(await Click.countDocuments()).toBe(2);
    const all = await Event.find().sort({ kind: 1 });
    expect(all.map((event) => event.constructor === SignUp)).toEqual([false, false, true]);
  });
});

describe('models', () => {
  test('with a collation of their own', async () => {
    const schema = new Schema({ name: { type: String, unique: true } }, { collation: { locale: 'en', strength: 1 } });
    const Town = shop.model('Town', schema);
    await Town.init();
    await Town.create({ name: 'Łódź' }, { name: 'kraków' });
    expect((await Town.findOne({ name: 'KRAKOW' }))?.name).toBe('kraków');
    expect((await Town.find().sort({ name: 1 })).map(({ name }) => name)).toEqual(['kraków', 'Łódź']);
    await expect(Town.create({ name: 'Krakow' })).rejects.toMatchObject({ code: 11000 });
    expect(await Town.countDocuments({ name: 'Krakow' }).collation({ locale: 'en' })).toBe(0);
  });

  test('make their indexes', async () => {
    const keys = (await Book.listIndexes()).map(({ key }) => key);
    expect(keys).toEqual(expect.arrayContaining([{ _id: 1 }, { title: 1 }, { author: 1, pages: -1 }]));
    expect((await Author.listIndexes()).find(({ name }) => name === 'mail_1')).toMatchObject({ unique: true });
  });

  test('bring the indexes in line with a new schema', async () => {
    const before = shop.model(
      'Synced',
      new Schema({ a: { type: Number, index: true }, b: { type: Number, index: true } }),
    );
    await before.init();
    shop.deleteModel('Synced');
    const after = shop.model(
      'Synced',
      new Schema({ a: { type: Number, unique: true }, c: { type: Date, expires: 60 } }, { autoIndex: false }),
    );
    expect(await after.diffIndexes()).toMatchObject({ toDrop: expect.arrayContaining(['a_1', 'b_1']) });
    expect(await after.syncIndexes()).toEqual(expect.arrayContaining(['a_1', 'b_1']));
    expect(
      (await after.listIndexes()).map(({ name, unique, expireAfterSeconds }) => [name, unique, expireAfterSeconds]),
    ).toEqual([
      ['_id_', undefined, undefined],
      ['a_1', true, undefined],
      ['c_1', undefined, 60],
    ]);
    expect(await after.syncIndexes()).toEqual([]);
  });

  test('use a session', async () => {
    const session = await shop.startSession();
    const [made] = await Author.create([{ name: 'In session', mail: 'session@example.org' }], { session });
    expect((await Author.findById(made?._id).session(session).orFail()).name).toBe('In session');
    await session.endSession();
  });

  test('are told that transactions are not there', async () => {
    const refused = shop.transaction(async (session) => {
      await Author.create([{ name: 'Never', mail: 'never@example.org' }], { session });
    });
    await expect(refused).rejects.toThrow(/transactions/);
    expect(await Author.exists({ mail: 'never@example.org' })).toBeNull();
  });

  test('drop their collections', async () => {
    const Gone = shop.model('Gone', new Schema({ n: Number }));
    await Gone.create({ n: 1 });
    await Gone.collection.drop();
    expect(await Gone.countDocuments()).toBe(0);
    await Gone.createCollection();
    expect((await shop.listCollections()).map(({ name }) => name)).toContain('gones');
  });
});
