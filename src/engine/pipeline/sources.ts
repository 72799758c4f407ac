import { CodedError, type Env } from '../../base/index.ts';
import { type Doc, doc as literal, type Value } from '../../bson/index.ts';
import { nsText } from '../collection.ts';
import type { Engine, Namespace } from '../contract.ts';

/** The stages that begin a pipeline with something other than the collection's documents. */
export async function stageSource(engine: Engine, ns: Namespace, env: Env, stage: string, spec: Value): Promise<Doc[]> {
  const head = { ns: nsText(ns), localTime: new Date(env.clock.now()) };
  if (stage === '$currentOp' || stage === '$listSessions' || stage === '$listLocalSessions') return [];
  // Every query is planned anew, so that there is no plan to tell of.
  if (stage === '$planCacheStats') return [];
  if (stage === '$indexStats') {
    const info = engine.collection(ns);
    return (info?.indexes ?? []).map(({ name, key, spec: definition }) => literal({ name, key, spec: definition }));
  }
  if (stage === '$collStats' && spec instanceof Map) {
    const { count, size, indexSizes } = await engine.stats(ns);
    const doc = literal(head);
    if (spec.has('count')) doc.set('count', literal({ count }).get('count') as Value);
    if (spec.has('latencyStats')) doc.set('latencyStats', new Map());
    if (spec.has('storageStats')) {
      const sizes = Object.fromEntries(indexSizes);
      const totalIndexSize = [...indexSizes.values()].reduce((sum, bytes) => sum + bytes, 0);
      const avgObjSize = count > 0 ? Math.floor(size / count) : 0;
      const stats = { size, count, avgObjSize, storageSize: size, nindexes: indexSizes.size, totalIndexSize };
      doc.set('storageStats', literal({ ...stats, totalSize: size + totalIndexSize, indexSizes: sizes }));
    }
    return [doc];
  }
  throw new CodedError('NotImplemented', `the stage ${stage} is not implemented`);
}
