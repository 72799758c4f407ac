import type { Doc, Value } from '../../bson/index.ts';
import { isDoc } from '../value.ts';
import type { Stage, Stream } from './stage.ts';
import { parseUnwind } from './unwind.ts';

/** A stage with the part of its pipeline that it was made of. */
export interface Compiled {
  readonly stage: Stage;
  readonly shown: Doc;
}

/** What a stage handed on, and how long that took with all the stages before it. */
export interface Watched {
  returned: number;
  millis: number;
}

/** A pipeline whose stages are watched as it runs, for `explain`. */
export class Profile {
  readonly #stages: readonly (Compiled & { readonly watched: Watched })[];
  readonly #monotonic: () => number;
  /** What came in. */
  readonly source: Watched = { returned: 0, millis: 0 };

  /** `monotonic` tells the time in milliseconds. */
  constructor(stages: readonly Compiled[], monotonic: () => number) {
    this.#stages = stages.map((compiled) => ({ ...compiled, watched: { returned: 0, millis: 0 } }));
    this.#monotonic = monotonic;
  }

  run(source: Stream): Stream {
    return this.#stages.reduce(
      (stream, { stage, watched }) => this.#watch(stage(stream), watched),
      this.#watch(source, this.source),
    );
  }

  /** Each stage in MongoDB's shape (`DocumentSource::serializeToArray`); `ran`: with what it has done. */
  show(ran: boolean): Doc[] {
    return this.#stages.map(({ stage, shown, watched }) => {
      if (!ran) return shown;
      return new Map<string, Value>([...shown, ...(stage.figures?.() ?? []), ...figuresOf(watched)]);
    });
  }

  async *#watch(stream: Stream, watched: Watched): AsyncGenerator<Doc[]> {
    let begun = this.#monotonic();
    const pause = () => {
      watched.millis += this.#monotonic() - begun;
    };
    for await (const batch of stream) {
      pause();
      watched.returned += batch.length;
      yield batch;
      begun = this.#monotonic();
    }
    pause();
  }
}

/** As every stage shows it. */
export function figuresOf({ returned, millis }: Watched): Doc {
  return new Map([
    ['nReturned', BigInt(returned)],
    ['executionTimeMillisEstimate', BigInt(Math.round(millis))],
  ]);
}

/** A `$sort`; `keep` is how many of its documents anybody looks at. */
export function shownSort(key: Value, keep: number): Doc {
  const limit = Number.isFinite(keep) ? [['limit', BigInt(keep)] as const] : [];
  return new Map([['$sort', new Map<string, Value>([['sortKey', key], ...limit])]]);
}

/** A `$lookup` with the `$unwind` that it does as well. */
export function shownLookup(spec: Value, unwinding: Value): Doc {
  const { index, preserve } = parseUnwind(unwinding);
  const unwind = new Map<string, Value>([['preserveNullAndEmptyArrays', preserve]]);
  if (index) unwind.set('includeArrayIndex', index.join('.'));
  return new Map([['$lookup', new Map([...(isDoc(spec) ? spec : []), ['unwinding', unwind]])]]);
}
