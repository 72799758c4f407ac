import { CodedError } from '../base/index.ts';
import { Collator, type Doc, doc as literal, sameCollation, toValue, type Value } from '../bson/index.ts';
import { nsText } from './collection.ts';
import type { CollectionInfo, FindQuery, Namespace, ResolvedView } from './contract.ts';

/** How deep views may stand on views. */
const MAX_DEPTH = 20;

/** Where a database's views are listed, as documents that clients can read. */
const SYSTEM_VIEWS = 'system.views';

/** What a view is as an entry of the catalog: its options are `viewOn`, `pipeline` and perhaps `collation`. */
export function isView({ options }: CollectionInfo): boolean {
  return options.has('viewOn');
}

export function viewPipeline({ options }: CollectionInfo): readonly Doc[] {
  const pipeline = options.get('pipeline');
  return Array.isArray(pipeline) ? pipeline.filter((stage) => stage instanceof Map) : [];
}

const SIMPLE: Doc = new Map([['locale', 'simple']]);

function collationOf({ options }: CollectionInfo): Doc {
  const collation = options.get('collation');
  return collation instanceof Map ? collation : SIMPLE;
}

/** A query of a view as one of the collection below. Throws OptionNotSupportedOnView for a collation of its own. */
export function ofView<Q extends Pick<FindQuery, 'collation'>>(
  ns: Namespace,
  { collation }: ResolvedView,
  query: Q,
): Q {
  const given = query.collation;
  if (given && given.size > 0 && !sameCollation(Collator.of(given), Collator.of(collation))) {
    throw new CodedError('OptionNotSupportedOnView', `Cannot override default collation of view ${nsText(ns)}`);
  }
  return { ...query, collation };
}

export function notOnView(ns: Namespace): CodedError {
  return new CodedError('CommandNotSupportedOnView', `Namespace ${nsText(ns)} is a view, not a collection`);
}

/** The views of a deployment, by name. A view is no more than its definition: whoever reads it runs its pipeline. */
export class Views {
  readonly #views = new Map<string, CollectionInfo>();

  put(view: CollectionInfo): void {
    this.#views.set(nsText(view.ns), view);
  }

  delete(ns: Namespace): void {
    this.#views.delete(nsText(ns));
  }

  get(ns: Namespace): CollectionInfo | undefined {
    return this.#views.get(nsText(ns));
  }

  all(): Iterable<CollectionInfo> {
    return this.#views.values();
  }

  of(db: string): CollectionInfo[] {
    return [...this.#views.values()].filter(({ ns }) => ns.db === db);
  }

  /** The collection that a view stands on in the end, and the pipeline that makes the view of it. */
  resolve(ns: Namespace): ResolvedView | undefined {
    if (this.#views.size === 0) return undefined;
    if (ns.coll === SYSTEM_VIEWS) return this.#listed(ns);
    const top = this.get(ns);
    if (!top) return undefined;
    let view: CollectionInfo | undefined = top;
    let source = ns;
    let pipeline: readonly Doc[] = [];
    for (let depth = 0; view; depth++) {
      if (depth >= MAX_DEPTH) {
        throw tooDeep(`View depth too deep or view cycle detected; maximum depth is ${MAX_DEPTH}`);
      }
      pipeline = [...viewPipeline(view), ...pipeline];
      source = { db: ns.db, coll: view.options.get('viewOn') as string };
      view = this.get(source);
    }
    return { ns: source, pipeline, collation: collationOf(top) };
  }

  /** Throws GraphContainsCycle or ViewDepthLimitExceeded where `view` would make it so. */
  check(view: CollectionInfo): void {
    const below = this.#height(view, view, [view.ns]);
    const above = this.#depthAbove(view.ns, 1);
    if (below + above - 1 > MAX_DEPTH) throw tooDeep(`View depth limit exceeded; maximum depth is ${MAX_DEPTH}`);
  }

  /** How many views stand on one another from this one down, itself counted. */
  #height(at: CollectionInfo, added: CollectionInfo, path: readonly Namespace[]): number {
    let height = 0;
    for (const coll of sources(at)) {
      const ns = { db: at.ns.db, coll };
      if (coll === added.ns.coll) {
        const cycle = [...path, ns].map(nsText).join(' => ');
        throw new CodedError('GraphContainsCycle', `View cycle detected: ${cycle}`);
      }
      const next = this.get(ns);
      if (next && !sameCollation(Collator.of(collationOf(next)), Collator.of(collationOf(added)))) {
        throw new CodedError(
          'OptionNotSupportedOnView',
          `View ${nsText(added.ns)} has a collation that does not match the collation of view ${nsText(ns)}`,
        );
      }
      if (next && path.length <= MAX_DEPTH) height = Math.max(height, this.#height(next, added, [...path, ns]));
    }
    return height + 1;
  }

  #depthAbove(ns: Namespace, depth: number): number {
    if (depth > MAX_DEPTH) return depth;
    const users = this.of(ns.db).filter((view) => view.ns.coll !== ns.coll && sources(view).includes(ns.coll));
    return Math.max(depth, ...users.map((view) => this.#depthAbove(view.ns, depth + 1)));
  }

  /**
   * Throws OptionNotSupportedOnView where a pipeline, or one within it, reads a view that does not compare by the
   * pipeline's collation (`collatorCompatibleWithPipeline`, and its words, which lack a space).
   */
  checkCollation(db: string, pipeline: readonly Doc[], collator: Collator | undefined): void {
    for (const coll of joined(pipeline)) {
      const view = this.get({ db, coll });
      if (!view || sameCollation(Collator.of(collationOf(view)), collator)) continue;
      throw new CodedError('OptionNotSupportedOnView', `Cannot override a view's default collation${nsText(view.ns)}`);
    }
  }

  #listed(ns: Namespace): ResolvedView | undefined {
    const views = this.of(ns.db);
    if (views.length === 0) return undefined;
    const docs = views.map((view) => new Map<string, Value>([['_id', nsText(view.ns)], ...view.options]));
    return { ns, pipeline: [literal({ $documents: { $literal: docs } })], collation: SIMPLE };
  }
}

function tooDeep(message: string): CodedError {
  return new CodedError('ViewDepthLimitExceeded', message);
}

/** The collections and views that a view reads. */
function sources(view: CollectionInfo): string[] {
  return [view.options.get('viewOn') as string, ...joined(viewPipeline(view))];
}

const JOINS: ReadonlyMap<string, string> = new Map([
  ['$lookup', 'from'],
  ['$graphLookup', 'from'],
  ['$unionWith', 'coll'],
]);

function joined(pipeline: readonly Doc[]): string[] {
  return pipeline.flatMap((stage): string[] => {
    const [name = '', spec] = stage.entries().next().value ?? [];
    if (name === '$unionWith' && typeof spec === 'string') return [spec];
    if (!(spec instanceof Map)) return [];
    if (name === '$facet') return [...spec.values()].flatMap((each) => (Array.isArray(each) ? joined(docs(each)) : []));
    const field = JOINS.get(name);
    if (!field) return [];
    const coll = spec.get(field);
    const inner = spec.get('pipeline');
    return [...(typeof coll === 'string' ? [coll] : []), ...(Array.isArray(inner) ? joined(docs(inner)) : [])];
  });
}

function docs(values: readonly Value[]): Doc[] {
  return values.filter((value) => value instanceof Map);
}

/** What a find, count or distinct asks, as the stages that ask the same of a view. */
export function queryStages(query: FindQuery): Doc[] {
  for (const option of ['min', 'max', 'returnKey', 'showRecordId'] as const) {
    if (query[option]) throw notInAggregation(`Option ${option}`);
  }
  if (query.tailable) throw notInAggregation('Tailable cursors are');
  if (query.sort?.has('$natural')) throw notInAggregation('Sort option $natural');
  const stages: Doc[] = [];
  const add = (name: string, value: unknown) => stages.push(new Map([[name, toValue(value)]]));
  if (query.filter.size > 0) add('$match', query.filter);
  if (query.sort && query.sort.size > 0) add('$sort', query.sort);
  if (query.skip > 0) add('$skip', query.skip);
  if (query.limit > 0) add('$limit', query.limit);
  if (query.projection && query.projection.size > 0) add('$project', query.projection);
  return stages;
}

function notInAggregation(what: string): CodedError {
  return new CodedError('InvalidPipelineOperator', `${what} not supported in aggregation.`);
}

const WRITERS = ['$out', '$merge'];

/** Stages that are about no collection. */
const COLLECTIONLESS = ['$currentOp', '$listLocalSessions', '$documents'];

/** Throws for a pipeline that no view may have. What is wrong with its stages is for others to say. */
export function checkViewPipeline(ns: Namespace, pipeline: readonly Doc[]): void {
  for (const [at, stage] of pipeline.entries()) {
    const writer = WRITERS.find((name) => stage.has(name));
    if (writer) {
      throw new CodedError(
        'OptionNotSupportedOnView',
        `The aggregation stage ${writer} in location ${at} of the pipeline cannot be used in the view definition of ${nsText(ns)} because it writes to disk`,
      );
    }
    if (stage.has('$changeStream')) {
      throw new CodedError('OptionNotSupportedOnView', '$changeStream cannot be used in a view definition');
    }
    const own = COLLECTIONLESS.find((name) => stage.has(name));
    if (own) throw new CodedError('InvalidNamespace', `'${own}' cannot be used in a view definition`);
  }
}
