import { doc, toValue } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { boolean, collectionName } from './fields.ts';
import { readable, refuseView, showNamespace } from './shared/namespace.ts';
import { indexBytes, scale } from './shared/stats.ts';

/** `storageSize` is the size of the documents: what Discord needs to keep them is Discord's to know. */
export const collStats = defineCommand({
  name: 'collStats',
  aliases: ['collstats'],
  help: 'tells the size of a collection',
  fields: {
    collStats: collectionName(),
    scale: scale(),
    verbose: boolean(),
    waitForLock: boolean(),
    numericOnly: boolean(),
  },
  async run(args, request, { engine }) {
    const ns = readable(request.db, args.collStats);
    refuseView(engine, ns);
    const info = engine.collection(ns);
    const options = info?.options ?? new Map();
    const stats = info
      ? await engine.stats(ns)
      : { count: 0, size: 0, cached: 0, indexSizes: new Map<string, number>(), indexKeys: new Map<string, number>() };
    const scaled = (bytes: number) => Math.trunc(bytes / args.scale);
    const totalIndexSize = indexBytes(stats);
    return doc({
      sharded: false,
      capped: options.get('capped') === true,
      max: options.get('max'),
      maxSize: options.get('capped') === true ? toValue(scaled(Number(options.get('size')))) : undefined,
      ns: showNamespace(ns),
      count: stats.count,
      size: scaled(stats.size),
      avgObjSize: stats.count > 0 ? Math.trunc(stats.size / stats.count) : undefined,
      storageSize: scaled(stats.size),
      freeStorageSize: 0,
      totalIndexSize: scaled(totalIndexSize),
      totalSize: scaled(stats.size + totalIndexSize),
      indexSizes: new Map([...stats.indexSizes].map(([name, bytes]) => [name, toValue(scaled(bytes))])),
      nindexes: stats.indexSizes.size,
      nchunks: 1,
      scaleFactor: args.scale,
      discodb: { cachedBytes: stats.cached },
    });
  },
});
