import { doc } from '../../bson/index.ts';
import type { CollectionInfo, Engine } from '../../engine/index.ts';

/** The collection that MongoDB keeps a database's views in; undefined where there are none. */
export function systemViews(engine: Engine, db: string): CollectionInfo | undefined {
  const [view] = engine.views(db);
  if (!view) return undefined;
  const idIndex = {
    name: '_id_',
    key: doc({ _id: 1 }),
    unique: true,
    spec: doc({ v: 2, key: { _id: 1 }, name: '_id_' }),
  };
  return { ns: { db, coll: 'system.views' }, uuid: view.uuid, options: new Map(), indexes: [idIndex] };
}
