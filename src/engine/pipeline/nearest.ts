import { CodedError, type Env } from '../../base/index.ts';
import type { Doc } from '../../bson/index.ts';
import { carry, compileFilter, type GeoNear, streamOf } from '../../query/index.ts';
import { type Collection, nsText } from '../collection.ts';
import type { FindQuery, Namespace } from '../contract.ts';
import { execute } from '../find.ts';
import type { Namespaces } from '../namespaces.ts';

/**
 * What `$geoNear` asks for, in batches, nearest first. Rejects where no index can tell, so of a collection that does not
 * exist; of a database that does not, a mongos tells nothing.
 */
export async function nearestDocs(
  env: Env,
  namespaces: Namespaces,
  ns: Namespace,
  { key, filter, add }: GeoNear,
  query: Pick<FindQuery, 'read' | 'context'>,
): Promise<AsyncIterable<Doc[]>> {
  const handle = namespaces.handle(ns);
  if (!handle) {
    if (!namespaces.databases().includes(ns.db)) return streamOf([]);
    const why = `$geoNear requires a geo index to run, but ${nsText(ns)} does not exist`;
    throw new CodedError('NamespaceNotFound', why);
  }
  const { collection } = await handle.load();
  const asked = filter(key ?? geoPath(collection));
  const found = await execute(
    env,
    handle,
    { ...query, filter: asked, skip: 0, limit: 0 },
    compileFilter(asked, query.context),
  );
  return (async function* () {
    for await (const batch of found.matches) yield batch.map(({ doc, meta = {} }) => carry(add(doc, meta), meta));
  })();
}

/** The path of the one index that can tell distances. Throws IndexNotFound where there is none, or a choice. */
function geoPath(collection: Collection): string {
  for (const kind of ['2d', '2dsphere']) {
    const paths = [...collection.secondary.values()].flatMap(({ spec }) => {
      const field = [...spec.key].find(([, direction]) => direction === kind);
      return field ? [field[0]] : [];
    });
    if (paths.length > 1) {
      const where = nsText(collection.ns);
      throw new CodedError(
        'IndexNotFound',
        `There is more than one ${kind} index on ${where}; unsure which to use for $geoNear`,
      );
    }
    if (paths[0] !== undefined) return paths[0];
  }
  throw new CodedError('IndexNotFound', '$geoNear requires a 2d or 2dsphere index, but none were found');
}
