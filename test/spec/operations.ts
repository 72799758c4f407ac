import { buffer } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import type { AnyBulkWriteOperation, ClientBulkWriteResult, Document } from '../support/driver.ts';
import { ClientSession, Collection, Db, type Entities, GridFSBucket, MongoClient } from './entities.ts';
import { RUNNER_OPERATIONS } from './runner-operations.ts';
import { type Operation, Unrunnable } from './types.ts';

type Verbs<T> = Readonly<Record<string, (target: T, args: Document) => unknown>>;

const COLLECTION: Verbs<Collection> = {
  aggregate: (target, { pipeline, ...options }) => target.aggregate(pipeline, options).toArray(),
  bulkWrite: (target, { requests, ...options }) => target.bulkWrite(requests.map(bulkRequest), options),
  count: (target, { filter, ...options }) => target.count(filter, options),
  countDocuments: (target, { filter, ...options }) => target.countDocuments(filter, options),
  createIndex: (target, { keys, ...options }) => target.createIndex(keys, options),
  deleteMany: (target, { filter, ...options }) => target.deleteMany(filter, options),
  deleteOne: (target, { filter, ...options }) => target.deleteOne(filter, options),
  distinct: (target, { fieldName, filter, ...options }) => target.distinct(fieldName, filter, options),
  dropIndex: (target, { name, ...options }) => target.dropIndex(name, options),
  dropIndexes: (target, options) => target.dropIndexes(options),
  estimatedDocumentCount: (target, options) => target.estimatedDocumentCount(options),
  createFindCursor: (target, { filter, ...options }) => target.find(filter, options),
  find: (target, { filter, ...options }) => target.find(filter, options).toArray(),
  findOne: (target, { filter, ...options }) => target.findOne(filter, options),
  findOneAndDelete: (target, { filter, ...options }) => target.findOneAndDelete(filter, options),
  findOneAndReplace: (target, { filter, replacement, ...options }) =>
    target.findOneAndReplace(filter, replacement, returning(options)),
  findOneAndUpdate: (target, { filter, update, ...options }) =>
    target.findOneAndUpdate(filter, update, returning(options)),
  insertMany: (target, { documents, ...options }) => target.insertMany(documents, options),
  insertOne: (target, { document, ...options }) => target.insertOne(document, options),
  listIndexes: (target, options) => target.listIndexes(options).toArray(),
  listIndexNames: async (target, options) =>
    (await target.listIndexes(options).toArray()).map((index: Document) => index.name),
  rename: (target, { to, ...options }) => target.rename(to, options),
  replaceOne: (target, { filter, replacement, ...options }) => target.replaceOne(filter, replacement, options),
  updateMany: (target, { filter, update, ...options }) => target.updateMany(filter, update, options),
  updateOne: (target, { filter, update, ...options }) => target.updateOne(filter, update, options),
};

const DATABASE: Verbs<Db> = {
  aggregate: (target, { pipeline, ...options }) => target.aggregate(pipeline, options).toArray(),
  createCollection: (target, { collection, ...options }) => target.createCollection(collection, options),
  createCommandCursor: (target, args) => commandCursor(target, args),
  dropCollection: (target, { collection, ...options }) => target.dropCollection(collection, options),
  dropDatabase: (target, options) => target.dropDatabase(options),
  listCollections: (target, { filter, ...options }) => target.listCollections(filter, options).toArray(),
  listCollectionNames: (target, { filter, ...options }) =>
    target.listCollections(filter, { ...options, nameOnly: true }).toArray(),
  modifyCollection: (target, { collection, ...options }) => target.command({ collMod: collection, ...options }),
  runCommand: (target, { command, commandName: _, ...options }) => target.command(command, options),
  runCursorCommand: (target, args) => commandCursor(target, args).toArray(),
};

const CLIENT: Verbs<MongoClient> = {
  clientBulkWrite: async (target, { models, ...options }) =>
    withoutAdditions(await target.bulkWrite(models.map(clientModel), options)),
  close: (target) => target.close(),
  listDatabases: (target, options) => target.db('admin').admin().listDatabases(options),
  listDatabaseNames: (target, options) =>
    target
      .db('admin')
      .admin()
      .listDatabases({ ...options, nameOnly: true }),
};

const SESSION: Verbs<ClientSession> = {
  abortTransaction: (target) => target.abortTransaction(),
  commitTransaction: (target) => target.commitTransaction(),
  endSession: (target) => target.endSession(),
  startTransaction: (target, options) => target.startTransaction(options),
};

const BUCKET: Verbs<GridFSBucket> = {
  delete: (target, { id }) => target.delete(id),
  download: (target, { id, ...options }) => buffer(target.openDownloadStream(id, options)),
  downloadByName: (target, { filename, ...options }) => buffer(target.openDownloadStreamByName(filename, options)),
  rename: (target, { id, newFilename }) => target.rename(id, newFilename),
  upload: async (target, { filename, source, contentType: _, ...options }) => {
    const stream = target.openUploadStream(filename, options);
    await finished(stream.end(Buffer.from(source.$$hexBytes, 'hex')));
    return stream.id;
  },
};

interface Cursor {
  next(): Promise<unknown>;
  tryNext(): Promise<unknown>;
  close(): Promise<void>;
}

const CURSOR: Verbs<Cursor> = {
  iterateUntilDocumentOrError: (target) => target.next(),
  iterateOnce: (target) => target.tryNext(),
  close: (target) => target.close(),
};

/** Does what an operation says, with its entities put in. */
export async function perform(entities: Entities, operation: Operation): Promise<unknown> {
  const { name, object, arguments: args = {} } = operation;
  if (object === 'testRunner') return verb(RUNNER_OPERATIONS, name)(entities, args);
  const target = entities.get(object);
  const { session, ...options } = args;
  const all = session === undefined ? options : { ...options, session: entities.session(session) };
  if (target instanceof Collection) return verb(COLLECTION, name)(target, all);
  if (target instanceof Db) return verb(DATABASE, name)(target, all);
  if (target instanceof GridFSBucket) return verb(BUCKET, name)(target, all);
  if (target instanceof MongoClient) return verb(CLIENT, name)(target, all);
  if (!(target instanceof ClientSession)) return verb(CURSOR, name)(target as Cursor, all);
  if (name !== 'withTransaction') return verb(SESSION, name)(target, all);
  return target.withTransaction(async () => {
    for (const each of all.callback) await perform(entities, each);
  });
}

function verb<T>(verbs: Verbs<T>, name: string): (target: T, args: Document) => unknown {
  const found = verbs[name];
  if (!found) throw new Unrunnable(`the operation ${name}`);
  return found;
}

function commandCursor(target: Db, args: Document) {
  const { command, commandName: _, cursorType, batchSize, comment, maxTimeMS, ...options } = args;
  const cursor = target.runCursorCommand(command, { cursorType, ...options } as Document);
  if (batchSize !== undefined) cursor.setBatchSize(batchSize);
  if (comment !== undefined) cursor.setComment(comment);
  if (maxTimeMS !== undefined) cursor.setMaxTimeMS(maxTimeMS);
  return cursor;
}

function returning({ returnDocument, ...options }: Document): Document {
  return { ...options, ...(returnDocument && { returnDocument: returnDocument.toLowerCase() }) };
}

function bulkRequest(request: Document): AnyBulkWriteOperation {
  return request as AnyBulkWriteOperation;
}

function clientModel(model: Document) {
  const [[name, fields] = ['', {}]] = Object.entries(model);
  return { name, ...fields };
}

/** A result without what only this driver adds to it, its Maps as documents. */
function withoutAdditions(result: ClientBulkWriteResult): Document {
  const plain = (all: ReadonlyMap<number, object> | undefined) =>
    all && Object.fromEntries([...all].map(([at, each]) => [at, { ...each, didUpsert: undefined }]));
  const { insertResults, updateResults, deleteResults } = result;
  return {
    ...result,
    insertResults: plain(insertResults),
    updateResults: plain(updateResults),
    deleteResults: plain(deleteResults),
  };
}
