import type { Env, Timer } from '../base/index.ts';
import { type Doc, doc as literal } from '../bson/index.ts';
import type { CollectionInfo, Namespace, TtlStatus } from './contract.ts';
import type { Loaded } from './handle.ts';
import { deleteDocuments } from './writes.ts';

/** As the server's ttlMonitorSleepSecs. */
const SLEEP_SECONDS = 60;

/** Documents that go so long after the date that they have at a path. */
export interface TtlTarget {
  readonly ns: Namespace;
  readonly path: string;
  readonly seconds: number;
  /** Only documents that match it. */
  readonly partial: Doc | undefined;
}

/** What expires in a collection: by an index, or, where the collection is clustered, by `_id`. */
export function expiringIn({ ns, options, indexes }: CollectionInfo): TtlTarget[] {
  const targets = indexes.flatMap(({ key, spec }): TtlTarget[] => {
    const [path] = key.keys();
    if (path === undefined || !spec.has('expireAfterSeconds')) return [];
    const partial = spec.get('partialFilterExpression');
    const seconds = Number(spec.get('expireAfterSeconds'));
    return [{ ns, path, seconds, partial: partial instanceof Map ? partial : undefined }];
  });
  const own = options.get('expireAfterSeconds');
  if (own === undefined) return targets;
  return [...targets, { ns, path: '_id', seconds: Number(own), partial: undefined }];
}

export interface TtlContext {
  readonly env: Env;
  targets(): TtlTarget[];
  load(ns: Namespace): Promise<Loaded | undefined>;
}

/** Deletes documents whose date has passed, one pass a minute unless told otherwise, as MongoDB's monitor does. */
export class TtlMonitor {
  /** No pass begins while false. */
  enabled = true;
  readonly #context: TtlContext;
  #sleepSeconds = SLEEP_SECONDS;
  #timer: Timer;
  #pass: Promise<void> = Promise.resolve();
  #running = false;
  #passes = 0;
  #deleted = 0;

  constructor(context: TtlContext) {
    this.#context = context;
    this.#timer = this.#schedule();
  }

  get status(): TtlStatus {
    return { passes: this.#passes, deletedDocuments: this.#deleted };
  }

  get sleepSeconds(): number {
    return this.#sleepSeconds;
  }

  /** Counts from now on. */
  set sleepSeconds(seconds: number) {
    this.#sleepSeconds = seconds;
    this.#timer.cancel();
    this.#timer = this.#schedule();
  }

  /** Ends after the deletion under way. */
  async stop(): Promise<void> {
    this.#timer.cancel();
    await this.#pass;
  }

  #schedule(): Timer {
    const run = () => {
      // A pass that takes longer than the sleep is not joined by another one.
      if (this.enabled && !this.#running) this.#pass = this.#run();
      this.#timer = this.#schedule();
    };
    return this.#context.env.clock.timer(this.#sleepSeconds * 1000, run, { unref: true });
  }

  async #run(): Promise<void> {
    const { env, targets, load } = this.#context;
    this.#running = true;
    for (const target of targets()) {
      try {
        const loaded = await load(target.ns);
        if (loaded) this.#deleted += await expire(env, loaded, target);
      } catch (error) {
        env.log.warn({ err: error, ns: target.ns, path: target.path }, 'expired documents stay for now');
      }
    }
    this.#passes++;
    this.#running = false;
  }
}

async function expire(env: Env, loaded: Loaded, { path, seconds, partial }: TtlTarget): Promise<number> {
  const now = new Date(env.clock.now());
  const before = new Date(now.getTime() - seconds * 1000);
  // Type bracketing: only dates are compared with a date; of an array any element, so the earliest counts.
  const filter = new Map([[path, literal({ $lte: before })]]);
  const whole = partial ? literal({ $and: [filter, partial] }) : filter;
  const options = { ordered: false, context: { now, random: () => env.random.next() } };
  const { n, durable } = await deleteDocuments(loaded, [{ filter: whole, limit: 0 }], options);
  await durable;
  return n;
}
