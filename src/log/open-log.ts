import { assert, type Env } from '../base/index.ts';
import { type ChannelId, type Message, type MessageId, type Priority, type Store, StoreError } from '../store/index.ts';
import { type ChannelRecord, classify, newestFirst } from './channel-record.ts';
import { Cleaner } from './cleaner.ts';
import { fetchRecords } from './fetch.ts';
import { placeOfIds } from './id-lead.ts';
import { Liveness } from './liveness.ts';
import { asLogRecord, type LogRecord } from './log-record.ts';
import { NewestPages } from './pages.ts';
import { PayloadLoader } from './payload-loader.ts';
import { Recovery } from './recover.ts';
import { scan } from './scan.ts';
import { scrub } from './scrub.ts';
import type { KeyRing, Sealer } from './sealer.ts';
import type {
  Append,
  Appended,
  Entry,
  FetchedRecord,
  LiveEntry,
  Log,
  LogProblem,
  LogSummary,
  RecordRef,
  Recovered,
  RetryMark,
  Scrubbed,
  Standing,
} from './types.ts';
import { Writer, type WriterStart } from './writer.ts';

export interface LogOptions {
  readonly env: Env;
  readonly store: Store;
  readonly channel: ChannelId;
  /** Of this process, see `Ownership`. */
  readonly epoch: number;
  /** With it payloads are sealed. */
  readonly keys?: KeyRing | undefined;
  /** Told of each problem once, when it is met. */
  readonly onProblem: (problem: LogProblem) => void;
}

/** The log of one channel. Makes no request. */
export function openLog(options: LogOptions): Log {
  return new ChannelLog(options);
}

class ChannelLog implements Log {
  readonly #options: LogOptions;
  readonly #sealer: Sealer | undefined;
  readonly #loader: PayloadLoader;
  #liveness = new Liveness();
  readonly #cleaner: Cleaner;
  /** Until recovery has read them. */
  #pages: NewestPages;
  #writer: Writer | undefined;
  #closed = false;

  constructor(options: LogOptions) {
    const { env, store, channel, keys } = options;
    this.#options = options;
    this.#sealer = keys?.forChannel(channel, env.random);
    this.#loader = new PayloadLoader(store, channel, this.#sealer);
    this.#pages = new NewestPages(store, channel);
    this.#cleaner = new Cleaner(env, store, channel);
  }

  get channel(): ChannelId {
    return this.#options.channel;
  }

  async summary(): Promise<LogSummary> {
    const newest = await this.#newestRecord();
    if (!newest) return { seq: 0, epoch: this.#options.epoch, documents: 0, superseding: 0, ahead: 0 };
    const { seq, epoch, documents, superseding, ahead } = newest.parsed.header;
    return { seq, epoch, documents, superseding, ahead };
  }

  async recover(visit: (entry: LiveEntry) => void, restart?: () => void): Promise<Recovered> {
    assert(!this.#writer, 'a log is recovered once');
    const { store, channel, epoch } = this.#options;
    const recovery = await this.#read(visit, restart);
    const { newest, hidden, marks, problems } = recovery;
    const newestEpoch = newest?.epoch ?? epoch;
    if (newestEpoch > epoch) {
      throw new StoreError('refused', `epoch ${newestEpoch} owns the channel by now, this process has epoch ${epoch}`);
    }
    this.#cleaner.takeOver(recovery);
    // What could not be read may be records after the newest one: their sequences are left out.
    const nextSeq = (newest?.seq ?? 0) + hidden + 1;
    const owned = newest?.epoch === epoch;
    this.#start({ epoch, since: owned ? newest.since : nextSeq, nextSeq, owned });
    this.#pages = new NewestPages(store, channel);
    const { documents, superseding, nextRecordId, ahead } = this.#liveness;
    const summary = { seq: newest?.seq ?? 0, epoch: newestEpoch, documents, superseding, ahead };
    return { summary, nextRecordId, marks, problems };
  }

  startEmpty(): void {
    assert(!this.#writer, 'a log is started once');
    this.#start({ epoch: this.#options.epoch, since: 1, nextSeq: 1, owned: true });
  }

  scanOldest(): AsyncIterable<LiveEntry[]> {
    return this.#scan('oldest');
  }

  scanNewest(): AsyncIterable<LiveEntry[]> {
    return this.#scan('newest');
  }

  async *scanIdsFrom(seconds: number): AsyncGenerator<LiveEntry[], void, void> {
    const newest = await this.#newestRecord();
    if (!newest) return;
    const { ahead } = newest.parsed.header;
    assert(ahead !== undefined, 'a log is read from an _id on where it is known how far these are ahead');
    // The newest record does not speak for itself, but it is on a page that is read in any case.
    yield* this.#scan('oldest', placeOfIds(seconds, ahead));
  }

  append(entries: readonly Entry[], marks: readonly RetryMark[] = []): Appended {
    assert(this.#writer, 'a log is written only after recover or startEmpty');
    return this.#writer.append(entries, marks);
  }

  async appendLast(compose: (append: Append) => void): Promise<void> {
    assert(this.#writer, 'a log is written only after recover or startEmpty');
    await this.#writer.appendLast(compose);
  }

  async checkpoint(): Promise<boolean> {
    assert(this.#writer, 'a log is written only after recover or startEmpty');
    return this.#writer.checkpoint();
  }

  async fence(): Promise<void> {
    assert(this.#writer, 'a log is fenced only after recover or startEmpty');
    await this.#writer.fence();
  }

  async room(): Promise<void> {
    await this.#writer?.room();
  }

  async *fetch(
    refs: readonly RecordRef[],
    priority: Priority = 'read',
  ): AsyncGenerator<readonly [RecordRef, FetchedRecord], void, void> {
    const stored: LogRecord[] = [];
    for (const record of refs.map(asLogRecord)) {
      const waiting = this.#writer?.waiting(record);
      if (waiting) yield [record, waiting];
      else if (record.messageId !== undefined) stored.push(record);
      else throw this.#writer?.failure ?? new StoreError('closed', 'a record is asked for that no log holds');
    }
    const { store, channel } = this.#options;
    const lost = (problem: LogProblem) => this.#lost(problem);
    yield* fetchRecords({ store, channel, loader: this.#loader, priority, lost }, stored);
  }

  async flush(): Promise<void> {
    await this.#writer?.flush();
  }

  async clean(): Promise<void> {
    if (!this.#closed) await this.#cleaner.clean();
  }

  scrub(goesOn: () => boolean): Promise<Scrubbed | undefined> {
    const { env, store, channel } = this.#options;
    return scrub({
      clock: env.clock,
      store,
      channel,
      live: this.#liveness.records,
      keyId: this.#sealer?.keyId,
      goesOn: () => goesOn() && !this.#closed,
    });
  }

  standing(): Standing {
    const { garbage, agingGarbage, tooOldGarbage, garbageSinceCheckpoint } = this.#cleaner;
    return { live: this.#liveness.live.count, garbage, agingGarbage, tooOldGarbage, garbageSinceCheckpoint };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.#writer?.drain();
    } catch (error) {
      // Those whose writes were lost have been told; closing goes on.
      this.#options.env.log.debug({ err: error, channel: this.#options.channel }, 'closed a log that had stopped');
    }
    this.#writer?.stop(new StoreError('closed', 'the log is closed'));
    await this.#cleaner.stop();
  }

  async *#scan(direction: 'oldest' | 'newest', from: MessageId = 0n): AsyncGenerator<LiveEntry[], void, void> {
    const newest = await this.#newestRecord();
    if (!newest) return;
    const { store, channel } = this.#options;
    // Once there is a writer, what it has superseded is removed, and whoever reads on does so from the directory.
    const onProblem = (problem: LogProblem) => {
      if (problem.kind !== 'gap' || !this.#writer) this.#options.onProblem(problem);
    };
    const context = { store, channel, onProblem, pages: this.#pages, loader: this.#loader };
    yield* scan(context, newest.parsed.header, direction, from);
  }

  /** The newest record that can be read: on the newest page, unless that page holds none. */
  async #newestRecord(): Promise<ChannelRecord | undefined> {
    let page: Message[] | undefined = await this.#pages.newest('read');
    while (page) {
      const records = page.map(classify).filter((found): found is ChannelRecord => found.kind === 'record');
      const newest = records.sort(newestFirst)[0];
      if (newest) return newest;
      page = await this.#pages.keepOlder('read');
    }
    return undefined;
  }

  async #read(visit: (entry: LiveEntry) => void, restart?: () => void): Promise<Recovery> {
    const { env, store, channel, onProblem } = this.#options;
    const { horizon } = this.#cleaner;
    const context = { env, pages: this.#pages, loader: this.#loader, horizon };
    // Told only when it is clear that all of it comes from the channel.
    const problems: LogProblem[] = [];
    const short = { ...context, liveness: this.#liveness, onProblem: (problem: LogProblem) => problems.push(problem) };
    const recovery = new Recovery(short, visit, restart ? 'newest' : 'none');
    if (await recovery.run()) {
      for (const problem of problems) onProblem(problem);
      return recovery;
    }
    env.log.warn({ channel }, 'the channel does not bear out its newest checkpoint; all of it is read');
    restart?.();
    this.#liveness = new Liveness();
    this.#pages = new NewestPages(store, channel);
    const whole = new Recovery({ ...context, pages: this.#pages, liveness: this.#liveness, onProblem }, visit, 'none');
    await whole.run();
    return whole;
  }

  #start(start: WriterStart): void {
    const { env, store, channel, onProblem } = this.#options;
    const parts = { liveness: this.#liveness, cleaner: this.#cleaner, sealer: this.#sealer };
    this.#writer = new Writer({ clock: env.clock, store, channel, onProblem, ...parts }, start);
  }

  #lost(problem: LogProblem): StoreError {
    this.#options.onProblem(problem);
    return new StoreError('gone', problem.text);
  }
}
