import type { Namespace } from '../../engine/index.ts';
import { showNamespace } from './namespace.ts';

/** Operations on one collection that go to the engine together, by their places in `ops`. */
export interface BulkRun {
  readonly ns: Namespace;
  readonly members: number[];
}

/** As few runs as can be: in order each is what stands side by side, without order each is all of one collection. */
export function bulkRuns(targets: readonly Namespace[], ordered: boolean): BulkRun[] {
  const runs: BulkRun[] = [];
  const open = new Map<string, BulkRun>();
  for (const [at, ns] of targets.entries()) {
    const name = showNamespace(ns);
    const run = open.get(name);
    if (run) {
      run.members.push(at);
      continue;
    }
    if (ordered) open.clear();
    const begun = { ns, members: [at] };
    open.set(name, begun);
    runs.push(begun);
  }
  return runs;
}
