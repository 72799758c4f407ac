import type { Env, Timer } from '../base/index.ts';
import { doc as literal } from '../bson/index.ts';
import type { IndexSpec, Namespace } from './contract.ts';
import type { Loaded } from './handle.ts';
import { deleteDocuments } from './writes.ts';

/** As the server's ttlMonitorSleepSecs. */
const PASS_EVERY_MS = 60_000;

export interface TtlTarget {
  readonly ns: Namespace;
  readonly index: IndexSpec;
}

export interface TtlContext {
  readonly env: Env;
  /** Every index with `expireAfterSeconds`. */
  targets(): TtlTarget[];
  load(ns: Namespace): Promise<Loaded | undefined>;
}

/** Deletes documents whose date has passed, one pass a minute, as MongoDB's monitor does. */
export class TtlMonitor {
  readonly #context: TtlContext;
  #timer: Timer;
  #pass: Promise<void> = Promise.resolve();

  constructor(context: TtlContext) {
    this.#context = context;
    this.#timer = this.#schedule();
  }

  /** Ends after the deletion under way. */
  async stop(): Promise<void> {
    this.#timer.cancel();
    await this.#pass;
  }

  #schedule(): Timer {
    const run = () => {
      this.#pass = this.#run();
      this.#timer = this.#schedule();
    };
    return this.#context.env.clock.timer(PASS_EVERY_MS, run, { unref: true });
  }

  async #run(): Promise<void> {
    const { env, targets, load } = this.#context;
    for (const { ns, index } of targets()) {
      try {
        const loaded = await load(ns);
        if (loaded) await expire(env, loaded, index);
      } catch (error) {
        env.log.warn({ err: error, ns, index: index.name }, 'expired documents stay for now');
      }
    }
  }
}

async function expire(env: Env, loaded: Loaded, index: IndexSpec): Promise<void> {
  const [path] = index.key.keys();
  const now = new Date(env.clock.now());
  const before = new Date(now.getTime() - Number(index.spec.get('expireAfterSeconds')) * 1000);
  // Type bracketing: only dates are less than a date; of an array any element.
  const filter = new Map([[path!, literal({ $lt: before })]]);
  const partial = index.spec.get('partialFilterExpression');
  const whole = partial instanceof Map ? literal({ $and: [filter, partial] }) : filter;
  const options = { ordered: false, context: { now, random: () => env.random.next() } };
  const { durable } = await deleteDocuments(loaded, [{ filter: whole, limit: 0 }], options);
  await durable;
}
