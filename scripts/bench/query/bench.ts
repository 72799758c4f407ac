import { figure, markdownTable, percentile } from '../table.ts';
import { owners, things } from './data.ts';
import { Discodb } from './discodb.ts';
import { INDEXED, OVER_MANY, type Plain, type Task } from './tasks.ts';

export interface QueryBench {
  /** Only tasks whose name has this text. */
  readonly only: string;
}

const SIZES = [1000, 10_000, 100_000];
const FULL = SIZES.at(-1)!;
/** Each way of a task is repeated for about so long, and at least so often. */
const MEASURED_MS = 600;
const MIN_TURNS = 5;

/** Real time, one process: the engine from filter to the bytes of an answer, mingo and plain loops on decoded objects. */
export async function benchQuery({ only }: QueryBench): Promise<void> {
  const wanted = ({ name }: Task) => name.includes(only);
  const growth = new Map(INDEXED.filter(wanted).map(({ name }) => [name, [] as string[]]));
  for (const size of SIZES) {
    const discodb = await Discodb.open(size);
    for (const task of INDEXED.filter(wanted)) {
      const [median] = await measured([(turn) => task.discodb(discodb, turn)]);
      growth.get(task.name)!.push(figure(1000 * median!));
    }
    if (size === FULL) {
      console.log(`median ms, ${FULL.toLocaleString('en-US')} documents\n${await compared(discodb, wanted)}\n`);
    }
    await discodb.close();
  }
  const head = ['median µs of DiscoDB by documents', ...SIZES.map((size) => size.toLocaleString('en-US'))];
  console.log(
    markdownTable(
      head,
      [...growth].map(([name, cells]) => [name, ...cells]),
    ),
  );
}

async function compared(discodb: Discodb, wanted: (task: Task) => boolean): Promise<string> {
  const plain: Plain = { things: things(discodb.count), owners: owners() };
  const rows: string[][] = [];
  for (const task of [...INDEXED, ...OVER_MANY].filter(wanted)) {
    await checkSame(task, discodb, plain);
    const medians = await measured([
      (turn) => task.discodb(discodb, turn),
      async (turn) => task.mingo(plain, turn),
      async (turn) => task.byHand(plain, turn),
    ]);
    const [ours, mingo] = medians as [number, number, number];
    rows.push([task.name, ...medians.map(figure), `${figure(mingo / ours)} ×`]);
  }
  return markdownTable(['task', 'DiscoDB', 'mingo', 'by hand', 'faster than mingo'], rows);
}

/** Figures of ways that answer differently would say nothing. */
async function checkSame(task: Task, discodb: Discodb, plain: Plain): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    const answers = [await task.discodb(discodb, turn), task.mingo(plain, turn), task.byHand(plain, turn)];
    if (new Set(answers).size > 1) throw new Error(`${task.name}: the answers differ: ${answers.join(', ')}`);
  }
}

/**
 * For each way the median of the times that one turn took, in ms, once the code is warm. The ways take turns, so that what
 * else the machine does meets all of them.
 */
async function measured(ways: readonly ((turn: number) => Promise<number>)[]): Promise<number[]> {
  const times = ways.map((): number[] => []);
  const begun = performance.now();
  for (let turn = 0; turn < MIN_TURNS || performance.now() - begun < ways.length * MEASURED_MS; turn++) {
    for (const [at, way] of ways.entries()) {
      const start = performance.now();
      await way(turn);
      times[at]!.push(performance.now() - start);
    }
  }
  return times.map((each) =>
    percentile(
      each.sort((left, right) => left - right),
      0.5,
    ),
  );
}
