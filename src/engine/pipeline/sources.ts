import { hostname } from 'node:os';
import { CodedError, type Env, located, withContext } from '../../base/index.ts';
import {
  type Doc,
  isNumber,
  doc as literal,
  TYPE,
  toValue,
  typeAlias,
  typeNumber,
  type Value,
} from '../../bson/index.ts';
import { clampedInt, type Numeric, showValue } from '../../query/index.ts';
import { type Cap, capOf } from '../cap.ts';
import { nsText } from '../collection.ts';
import type { AggregateOptions, CollectionStats, Engine, Namespace } from '../contract.ts';
import { notOnView } from '../views.ts';

/** The stages that begin a pipeline with something other than the collection's documents. Throws for a wrong argument. */
export function stageSource(
  engine: Engine,
  ns: Namespace,
  env: Env,
  { sources }: AggregateOptions,
  stage: string,
  spec: Value,
): () => Promise<readonly Doc[]> {
  const given = sources?.[stage];
  if (given) {
    const read = given(spec, ns);
    return async () => read();
  }
  switch (stage) {
    case '$indexStats':
      if (!isEmpty(spec)) throw located(28803, 'The $indexStats stage specification must be an empty object');
      return async () => indexStats(engine, ns);
    case '$planCacheStats':
      checkPlanCacheStats(spec);
      return async () => {
        if (!engine.collection(ns)) throw located(50933, `collection '${nsText(ns)}' does not exist`);
        // Plans are made anew for each query.
        return [];
      };
    case '$collStats': {
      const parsed = parseCollStats(spec);
      return async () => [await collStats(engine, ns, env, parsed)];
    }
  }
  throw new CodedError('NotImplemented', `the stage ${stage} is not implemented here`);
}

function isEmpty(spec: Value): boolean {
  return spec instanceof Map && spec.size === 0;
}

function checkPlanCacheStats(spec: Value): void {
  if (!(spec instanceof Map)) {
    throw new CodedError('FailedToParse', `$planCacheStats value must be an object. Found: ${typeAlias(spec)}`);
  }
  const parameters = '$planCacheStats parameters object may contain';
  for (const [name, value] of spec) {
    if (name !== 'allHosts') {
      throw new CodedError('FailedToParse', `${parameters} only 'allHosts' field. Found: ${name}`);
    }
    if (typeof value !== 'boolean') {
      throw located(13111, `wrong type for field (${name}) ${typeNumber(value)} != ${TYPE.bool}`);
    }
    if (spec.size > 1) throw new CodedError('FailedToParse', `${parameters} at most one field.`);
  }
}

function indexStats(engine: Engine, ns: Namespace): Doc[] {
  const uses = engine.indexUses(ns);
  return (engine.collection(ns)?.indexes ?? []).map(({ name, key, spec }) => {
    const { ops, since } = uses.get(name)!;
    return literal({ name, key, host: hostname(), accesses: { ops: BigInt(ops), since }, spec });
  });
}

const COLL_STATS = ['count', 'storageStats', 'latencyStats', 'queryExecStats'];

function parseCollStats(spec: Value): Doc {
  if (!(spec instanceof Map)) {
    throw located(40166, `$collStats must take a nested object but found: $collStats: ${showValue(spec)}`);
  }
  for (const [name, options] of spec) {
    if (!COLL_STATS.includes(name)) {
      throw new CodedError('IDLUnknownField', `BSON field '$collStats.${name}' is an unknown field.`);
    }
    // As good as none (`idl_parser.cpp`).
    if (options === null) continue;
    if (!(options instanceof Map)) {
      throw new CodedError(
        'TypeMismatch',
        `BSON field '$collStats.${name}' is the wrong type '${typeAlias(options)}', expected type 'object'`,
      );
    }
  }
  const asked: Doc = new Map([...spec].filter(([, options]) => options !== null));
  const count = asked.get('count') as Doc | undefined;
  if (count && count.size > 0) throw located(31170, `expected an empty object, but got ${showValue(count)}`);
  for (const name of ['latencyStats', 'queryExecStats']) {
    if (asked.has(name)) throw new CodedError('NotImplemented', `DiscoDB does not measure ${name} by collection`);
  }
  return asked;
}

async function collStats(engine: Engine, ns: Namespace, env: Env, spec: Doc): Promise<Doc> {
  const doc = literal({ ns: nsText(ns), host: hostname(), localTime: new Date(env.clock.now()) });
  for (const name of ['storageStats', 'count']) {
    if (!spec.has(name)) continue;
    if (!engine.collection(ns)) {
      throw withContext(
        engine.resolveView(ns)
          ? notOnView(ns)
          : new CodedError('NamespaceNotFound', `Collection [${nsText(ns)}] not found.`),
        `Unable to retrieve ${name} in $collStats stage`,
      );
    }
    const stats = await engine.stats(ns);
    const cap = capOf(engine.collection(ns)?.options ?? new Map());
    doc.set(name, name === 'count' ? toValue(stats.count) : storageStats(stats, cap, scaleOf(spec.get(name) as Doc)));
  }
  return doc;
}

function scaleOf(options: Doc): number {
  const scale = options.get('scale') ?? 1;
  if (!isNumber(scale)) {
    throw new CodedError(
      'TypeMismatch',
      `BSON field '$collStats.storageStats.scale' is the wrong type '${typeAlias(scale)}', expected types '[long, int, decimal, double]'`,
    );
  }
  const number = clampedInt(scale as Numeric);
  if (number < 1) {
    throw new CodedError('BadValue', `BSON field 'scale' value must be >= 1, actual value '${number}'`);
  }
  return number;
}

/** As `collStats` tells them. */
function storageStats({ count, size, indexSizes }: CollectionStats, cap: Cap | undefined, scale: number): Doc {
  const scaled = (bytes: number) => Math.trunc(bytes / scale);
  const totalIndexSize = [...indexSizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  return literal({
    size: scaled(size),
    count,
    avgObjSize: count > 0 ? Math.trunc(size / count) : undefined,
    numOrphanDocs: 0,
    storageSize: scaled(size),
    freeStorageSize: 0,
    capped: cap !== undefined,
    ...(cap && { max: Number.isFinite(cap.max) ? cap.max : 0, maxSize: scaled(cap.size) }),
    nindexes: indexSizes.size,
    indexBuilds: [],
    totalIndexSize: scaled(totalIndexSize),
    totalSize: scaled(size + totalIndexSize),
    indexSizes: new Map([...indexSizes].map(([name, bytes]) => [name, toValue(scaled(bytes))])),
    scaleFactor: scale,
  });
}
