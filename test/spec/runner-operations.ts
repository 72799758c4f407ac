import { isDeepStrictEqual } from 'node:util';
import type { Document } from '../support/driver.ts';
import type { Entities } from './entities.ts';
import { Unrunnable } from './types.ts';

type RunnerOperation = (entities: Entities, args: Document) => unknown;

/** What the runner itself is asked to do or to check. */
export const RUNNER_OPERATIONS: Readonly<Record<string, RunnerOperation>> = {
  createEntities: (entities, args) => entities.create(args.entities),
  assertSameLsidOnLastTwoCommands: (entities, { client }) => check(sameLsid(entities, client), 'the lsids differ'),
  assertDifferentLsidOnLastTwoCommands: (entities, { client }) => check(!sameLsid(entities, client), 'the same lsid'),
  assertSessionTransactionState: (entities, { session, state }) => {
    const active = entities.session(session).inTransaction();
    check(active === ['starting', 'in_progress'].includes(state), `the transaction is not ${state}`);
  },
  assertSessionPinned: (entities, { session }) =>
    check(entities.session(session).isPinned, 'the session is not pinned'),
  assertSessionUnpinned: (entities, { session }) => check(!entities.session(session).isPinned, 'the session is pinned'),
  assertCollectionExists: async (entities, args) => check(await exists(entities, args), 'no such collection'),
  assertCollectionNotExists: async (entities, args) => check(!(await exists(entities, args)), 'the collection exists'),
  assertIndexExists: async (entities, args) => check(await indexExists(entities, args), 'no such index'),
  assertIndexNotExists: async (entities, args) => check(!(await indexExists(entities, args)), 'the index exists'),
  assertNumberConnectionsCheckedOut: (entities, { client, connections }) => {
    const events = entities.eventsOf(client).map(({ name }) => name);
    const count = (wanted: string) => events.filter((name) => name === `connectionChecked${wanted}Event`).length;
    check(count('Out') - count('In') === connections, 'another number of connections checked out');
  },
  failPoint: () => {
    throw new Unrunnable('configureFailPoint, which a server has only when it is started for tests');
  },
  targetedFailPoint: () => {
    throw new Unrunnable('configureFailPoint, which a server has only when it is started for tests');
  },
};

function check(holds: boolean, message: string): void {
  if (!holds) throw new Error(message);
}

function sameLsid(entities: Entities, client: string): boolean {
  const started = entities.eventsOf(client).filter(({ name }) => name === 'commandStartedEvent');
  const [left, right] = started.slice(-2);
  if (!left || !right) throw new Error('there were no two commands');
  return isDeepStrictEqual(left.event.command.lsid, right.event.command.lsid);
}

async function exists(entities: Entities, { databaseName, collectionName }: Document): Promise<boolean> {
  const found = await entities.internalClient.db(databaseName).listCollections({ name: collectionName }).toArray();
  return found.length > 0;
}

async function indexExists(entities: Entities, { databaseName, collectionName, indexName }: Document) {
  if (!(await exists(entities, { databaseName, collectionName }))) return false;
  const indexes = await entities.internalClient.db(databaseName).collection(collectionName).indexes();
  return indexes.some(({ name }) => name === indexName);
}
