import { ClientSession, Collection, Db, type Document, GridFSBucket, MongoClient } from '../support/driver.ts';
import { Unrunnable } from './types.ts';

/** Events by the names that the format has for them, as far as the runner watches. */
const COMMAND_EVENTS = ['commandStarted', 'commandSucceeded', 'commandFailed'] as const;
const POOL_EVENTS = ['connectionReady', 'connectionCheckedOut', 'connectionCheckedIn', 'connectionClosed'] as const;
/** Commands that the format keeps out of what is observed. */
const UNSEEN = new Set(['configureFailPoint']);
/** Commands that may carry a password: the driver shows such a one, and its answer, as an empty document. */
const SENSITIVE = new Set(['hello', 'ismaster']);

export interface SeenEvent {
  readonly type: 'command' | 'cmap';
  readonly name: string;
  readonly event: Document;
}

/** What a test has made and named: clients, databases, collections, sessions, results. */
export class Entities {
  /** Whom the runner itself asks, so that no test sees it. */
  readonly internalClient: MongoClient;
  readonly #uri: string;
  readonly #byId = new Map<string, unknown>();
  readonly #events = new Map<string, SeenEvent[]>();

  constructor(uri: string, internalClient: MongoClient) {
    this.#uri = uri;
    this.internalClient = internalClient;
  }

  get(id: string): unknown {
    if (!this.#byId.has(id)) throw new Error(`no entity ${id}`);
    return this.#byId.get(id);
  }

  set(id: string, value: unknown): void {
    if (this.#byId.has(id)) throw new Error(`entity ${id} is there already`);
    this.#byId.set(id, value);
  }

  session(id: string): ClientSession {
    const value = this.get(id);
    if (!(value instanceof ClientSession)) throw new Error(`${id} is no session`);
    return value;
  }

  all(): unknown[] {
    return [...this.#byId.values()];
  }

  eventsOf(client: string): readonly SeenEvent[] {
    return this.#events.get(client) ?? [];
  }

  async create(all: readonly Document[]): Promise<void> {
    for (const each of all) {
      const [[kind, description] = []] = Object.entries(each);
      this.set(description.id, await this.#make(kind, description));
    }
  }

  async close(): Promise<void> {
    const all = this.all();
    for (const each of all) if (each instanceof ClientSession) await each.endSession();
    for (const each of all) if (each instanceof MongoClient) await each.close();
  }

  async #make(kind: string | undefined, description: Document): Promise<unknown> {
    switch (kind) {
      case 'client':
        return this.#client(description);
      case 'database': {
        const client = this.#typed(description.client, MongoClient);
        return client.db(description.databaseName, description.databaseOptions);
      }
      case 'collection': {
        const db = this.#typed(description.database, Db);
        return db.collection(description.collectionName, description.collectionOptions);
      }
      case 'bucket':
        return new GridFSBucket(this.#typed(description.database, Db), description.bucketOptions);
      case 'session':
        return this.#typed(description.client, MongoClient).startSession(description.sessionOptions);
      default:
        throw new Unrunnable(`an entity of kind ${kind}`);
    }
  }

  async #client({ id, uriOptions = {}, observeEvents = [], serverApi, ...rest }: Document): Promise<MongoClient> {
    const { readConcernLevel, w, wTimeoutMS, ...options } = uriOptions;
    const client = new MongoClient(this.#uri, {
      ...options,
      ...(readConcernLevel && { readConcern: { level: readConcernLevel } }),
      ...((w !== undefined || wTimeoutMS !== undefined) && { writeConcern: { w, wtimeoutMS: wTimeoutMS } }),
      ...(serverApi && { serverApi }),
      monitorCommands: true,
    });
    const seen: SeenEvent[] = [];
    this.#events.set(id, seen);
    const ignored = new Set([...UNSEEN, ...(rest.ignoreCommandMonitoringEvents ?? [])]);
    const isUnseen = (event: Document) =>
      ignored.has(event.commandName) || (!rest.observeSensitiveCommands && isRedacted(event));
    for (const name of COMMAND_EVENTS.filter((each) => observeEvents.includes(`${each}Event`))) {
      client.on(name, (event: Document) => {
        if (!isUnseen(event)) seen.push({ type: 'command', name: `${name}Event`, event });
      });
    }
    for (const name of POOL_EVENTS.filter((each) => observeEvents.includes(`${each}Event`))) {
      client.on(name, (event: Document) => seen.push({ type: 'cmap', name: `${name}Event`, event }));
    }
    return client.connect();
  }

  #typed<T>(id: string, kind: abstract new (...args: never[]) => T): T {
    const value = this.get(id);
    if (!(value instanceof kind)) throw new Error(`${id} is no ${kind.name}`);
    return value;
  }
}

function isRedacted({ commandName, command, reply }: Document): boolean {
  return SENSITIVE.has(commandName.toLowerCase()) && Object.keys(command ?? reply ?? {}).length === 0;
}

export { ClientSession, Collection, Db, GridFSBucket, MongoClient };
