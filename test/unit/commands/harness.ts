import { type Env, seededRandom, silentLog, VirtualClock } from '../../../src/base/index.ts';
import { type Doc, decode, doc, encode } from '../../../src/bson/index.ts';
import { type Connection, createDispatcher, type Dispatcher, type Message } from '../../../src/commands/index.ts';
import { FakeEngine } from '../../support/fake-engine.ts';

/** A dispatcher over a fake engine in virtual time, and one client. */
export class Harness {
  readonly clock = new VirtualClock();
  readonly env: Env = { clock: this.clock, random: seededRandom(7), log: silentLog };
  readonly engine = new FakeEngine(this.env);
  readonly dispatcher: Dispatcher = createDispatcher({
    env: this.env,
    engine: this.engine,
    compressors: ['zstd', 'zlib'],
    version: '0.1.0',
    server: {
      address: '127.0.0.1:27017',
      startedAt: new Date(this.clock.now()),
      argv: ['discodb', 'serve'],
      counters: () => ({ connections: 1, totalConnections: 1, bytesIn: 2, bytesOut: 3, requests: 4 }),
    },
  });
  readonly connection = newConnection(1);

  /** Runs a command given as a literal; `$db` is `test` unless the literal says otherwise. */
  async run(command: object, options: Partial<Message> & { connection?: Connection } = {}): Promise<Doc> {
    const { body } = await this.dispatcher.dispatch(message(command, options), options.connection ?? this.connection);
    return decode(body);
  }

  /** As `run`, on the admin database. */
  admin(command: object): Promise<Doc> {
    return this.run({ ...command, $db: 'admin' });
  }

  async insert(coll: string, ...docs: object[]): Promise<void> {
    const reply = await this.run({ insert: coll, documents: docs });
    if (reply.get('ok') !== 1) throw new Error(String(reply.get('errmsg')));
  }
}

export function newConnection(id: number): Connection {
  return { id, remote: `10.0.0.${id}:5000`, local: '127.0.0.1:27017', client: undefined };
}

export function message(command: object, options: Partial<Message> = {}): Message {
  const body = command instanceof Map ? new Map(command) : doc(command);
  if (!body.has('$db') && options.db === undefined) body.set('$db', 'test');
  return {
    body: encode(body),
    db: undefined,
    sequences: new Map(),
    exhaustAllowed: false,
    signal: new AbortController().signal,
    ...options,
  };
}

/** `[code, codeName, errmsg]` of an error reply. */
export function failure(reply: Doc): [number, unknown, unknown] {
  return [Number(reply.get('code')), reply.get('codeName'), reply.get('errmsg')];
}

/** The field of a nested document, by dotted path. */
export function at(reply: Doc, path: string): unknown {
  let value: unknown = reply;
  for (const part of path.split('.')) {
    value = value instanceof Map ? value.get(part) : Array.isArray(value) ? value[Number(part)] : undefined;
  }
  return value;
}
