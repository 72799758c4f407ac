import { markdownTable } from '../table.ts';

/** What V8 writes, as far as it is read here. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[];
}

const IDLE = new Set(['(idle)', '(program)', '(root)']);

/** The functions in which a process spent most of its time, callees not counted. */
export function topFunctions(text: string, count: number): string {
  const { nodes, samples, timeDeltas } = JSON.parse(text) as CpuProfile;
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  let busy = 0;
  for (const [at, id] of samples.entries()) {
    const name = names.get(id) ?? '';
    if (IDLE.has(name)) continue;
    const delta = timeDeltas[at] ?? 0;
    busy += delta;
    times.set(name, (times.get(name) ?? 0) + delta);
  }
  const top = [...times].sort(([, left], [, right]) => right - left).slice(0, count);
  const rows = top.map(([name, time]) => [name, `${((100 * time) / busy).toFixed(1)} %`]);
  return markdownTable(['function', 'self time'], rows);
}

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  if (url === '') return functionName;
  const file = url.replace(/^.*\/(dist|node_modules)\//, '');
  return `${functionName || '(anonymous)'} ${file}:${lineNumber + 1}`;
}
