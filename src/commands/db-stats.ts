import { doc } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { any, boolean } from './fields.ts';
import { databaseStats, scale } from './shared/stats.ts';

export const dbStats = defineCommand({
  name: 'dbStats',
  aliases: ['dbstats'],
  help: 'tells the size of a database',
  fields: { dbStats: any(), scale: scale(), freeStorage: boolean() },
  async run(args, request, { engine }) {
    const stats = await databaseStats(engine, request.db);
    // What is listed as `system.views` counts as a collection.
    const views = engine.views(request.db).length;
    const scaled = (bytes: number) => bytes / args.scale;
    return doc({
      db: request.db,
      collections: stats.collections + (views > 0 ? 1 : 0),
      views,
      objects: stats.objects,
      avgObjSize: stats.objects > 0 ? stats.dataSize / stats.objects : 0,
      dataSize: scaled(stats.dataSize),
      storageSize: scaled(stats.dataSize),
      indexes: stats.indexes,
      indexSize: scaled(stats.indexSize),
      totalSize: scaled(stats.dataSize + stats.indexSize),
      scaleFactor: args.scale,
      fsUsedSize: 0,
      fsTotalSize: 0,
    });
  },
});
