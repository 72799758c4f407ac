import type { Document, MongoClient } from '../support/driver.ts';
import { Entities } from './entities.ts';
import { expectError } from './errors.ts';
import { expectMatch } from './match.ts';
import { perform } from './operations.ts';
import {
  type CollectionData,
  type ExpectedEvents,
  type Operation,
  type TestFile,
  type UnifiedTest,
  Unrunnable,
} from './types.ts';

/** Runs one test of a file against the server at `uri`; throws where the server or the driver did something else. */
export async function runUnified(uri: string, setUp: MongoClient, file: TestFile, test: UnifiedTest): Promise<void> {
  for (const data of file.initialData ?? []) await fill(setUp, data);
  const entities = new Entities(uri, setUp);
  try {
    await entities.create(file.createEntities ?? []);
    for (const [at, operation] of test.operations.entries()) await carryOut(entities, operation, at);
    // Before closing, which is a command too.
    for (const expected of test.expectEvents ?? []) expectEvents(entities, expected);
    for (const expected of test.outcome ?? []) await expectOutcome(entities, setUp, expected);
  } finally {
    await entities.close();
  }
}

async function fill(client: MongoClient, { databaseName, collectionName, createOptions, documents }: CollectionData) {
  const db = client.db(databaseName);
  const writeConcern = { w: 'majority' } as const;
  await db.dropCollection(collectionName, { writeConcern });
  if (createOptions || documents.length === 0)
    await db.createCollection(collectionName, { ...createOptions, writeConcern });
  if (documents.length > 0) await db.collection(collectionName).insertMany([...documents], { writeConcern });
}

async function carryOut(entities: Entities, operation: Operation, at: number): Promise<void> {
  const path = `operation ${at} (${operation.name})`;
  const { result, error } = await perform(entities, operation).then(
    (value) => ({ result: value, error: undefined }),
    (reason: Error) => ({ result: undefined, error: reason }),
  );
  if (error instanceof Unrunnable) throw error;
  if (operation.ignoreResultAndError) return;
  if (operation.expectError) {
    expectError(entities, operation.expectError, error, path);
    return;
  }
  // What the driver wraps says more than the wrapping.
  if (error) throw new Error(`${path}: ${((error.cause as Error) ?? error).message}`, { cause: error });
  if ('expectResult' in operation) expectMatch(entities, operation.expectResult, result, `${path} result`);
  if (operation.saveResultAsEntity !== undefined) entities.set(operation.saveResultAsEntity, result);
}

function expectEvents(
  entities: Entities,
  { client, eventType = 'command', events, ignoreExtraEvents }: ExpectedEvents,
) {
  const seen = entities.eventsOf(client).filter(({ type }) => type === eventType);
  if (seen.length < events.length || (seen.length > events.length && !ignoreExtraEvents)) {
    const names = seen.map(({ name, event }) => `${name} ${event.commandName ?? ''}`).join(', ');
    throw new Error(`${client}: expected ${events.length} events, got ${seen.length}: ${names}`);
  }
  for (const [at, expected] of events.entries()) {
    const [[name, fields] = ['', {}]] = Object.entries<Document>(expected);
    const actual = seen[at];
    if (actual?.name !== name) throw new Error(`${client}: event ${at}: expected ${name}, got ${actual?.name}`);
    const { command, reply, hasServiceId: _, hasServerConnectionId: __, ...plain } = fields;
    const path = `${client}: event ${at}`;
    // Both are root documents: what is not named in them may be anything.
    if (command) expectMatch(entities, command, actual.event.command, `${path}: command`);
    if (reply) expectMatch(entities, reply, actual.event.reply, `${path}: reply`);
    expectMatch(entities, plain, actual.event, path);
  }
}

async function expectOutcome(entities: Entities, client: MongoClient, expected: CollectionData): Promise<void> {
  const { databaseName, collectionName, documents } = expected;
  const found = await client.db(databaseName).collection(collectionName).find().sort({ _id: 1 }).toArray();
  const path = `outcome of ${databaseName}.${collectionName}`;
  if (found.length !== documents.length) {
    throw new Error(`${path}: expected ${documents.length} documents, got ${JSON.stringify(found)}`);
  }
  for (const [at, each] of documents.entries()) {
    expectMatch(entities, { $$matchAsDocument: each }, found[at], `${path}: ${at}`);
  }
}
