import { type Env, seededRandom, silentLog, VirtualClock } from '../../../src/base/index.ts';
import { doc, encode } from '../../../src/bson/index.ts';
import {
  type Entry,
  type LiveEntry,
  type Log,
  type LogProblem,
  openLog,
  type Placement,
  type RecordRef,
  type Recovered,
} from '../../../src/log/index.ts';
import { type ChannelId, checkedStore, MemoryStore, type Store } from '../../../src/store/index.ts';

/** A guild in memory with one channel, and processes that open its log one after the other. */
export class World {
  readonly clock: VirtualClock;
  readonly env: Env;
  readonly memory: MemoryStore;
  readonly store: Store;
  readonly channel: ChannelId;
  readonly problems: LogProblem[] = [];
  epoch = 0;

  private constructor(seed: number, memory: MemoryStore, channel: ChannelId, clock: VirtualClock) {
    this.clock = clock;
    this.env = { clock, random: seededRandom(seed), log: silentLog };
    this.memory = memory;
    this.store = checkedStore(memory);
    this.channel = channel;
  }

  static async make(seed = 1): Promise<World> {
    const clock = new VirtualClock();
    const memory = new MemoryStore(clock);
    const { id } = await memory.createChannel({ name: 'things', kind: 'text' });
    return new World(seed, memory, id, clock);
  }

  /** A log of the next epoch. */
  open(store: Store = this.store, epoch = ++this.epoch): Log {
    const onProblem = (problem: LogProblem) => this.problems.push(problem);
    return openLog({ env: this.env, store, channel: this.channel, epoch, onProblem });
  }

  /** `how`: from the newest checkpoint on, or from the whole channel. */
  async recovered(
    store?: Store,
    how: 'checkpoint' | 'whole' = 'checkpoint',
  ): Promise<{ log: Log; found: LiveEntry[]; told: Recovered; restarts: number }> {
    const log = this.open(store);
    const found: LiveEntry[] = [];
    let restarts = 0;
    const restart = () => {
      found.length = 0;
      restarts++;
    };
    const visit = (entry: LiveEntry) => found.push(entry);
    const told = await this.clock.run(how === 'whole' ? log.recover(visit) : log.recover(visit, restart));
    return { log, found, told, restarts };
  }

  /** What requests were made since the last call. */
  requests(): Record<string, number> {
    const made = Object.fromEntries(Object.entries(this.memory.requests).filter(([, count]) => count > 0));
    for (const request of Object.keys(made)) Object.assign(this.memory.requests, { [request]: 0 });
    return made;
  }
}

export function put(recordId: number, fields: object = {}, previous?: Placement): Entry {
  const bytes = encode(doc({ _id: recordId, ...fields }));
  return previous ? { op: 'put', recordId, bytes, previous } : { op: 'put', recordId, bytes };
}

export function del(recordId: number, previous: Placement): Entry {
  return { op: 'delete', recordId, bytes: encode(doc({ _id: recordId })), previous };
}

/** recordIds in natural order. */
export function ids(found: readonly LiveEntry[]): number[] {
  return found.map(({ recordId }) => recordId).sort((left, right) => left - right);
}

/** The documents of one record, brought back; undefined where an entry is no put. */
export async function documents(log: Log, record: RecordRef): Promise<(Uint8Array | undefined)[]> {
  for await (const [, fetched] of log.fetch([record])) {
    return Array.from({ length: record.entries }, (_, slot) => fetched.document(slot));
  }
  return [];
}
