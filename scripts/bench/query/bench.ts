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
/** Each way of a task is repeated for so long, and at least so often. */
const MEASURED_MS = 600;
const MIN_TURNS = 5;

/** Real time, one process: the engine from filter to the bytes of an answer, mingo and plain loops on decoded objects. */
export async function benchQuery({ only }: QueryBench): Promise<void> {
  const wanted = ({ name }: Task) => name.includes(only);
  const growth = new Map(INDEXED.filter(wanted).map(({ name }) => [name, [] as string[]]));
  for (const size of SIZES) {
    const discodb = await Discodb.open(size);
    for (const task of INDEXED.filter(wanted)) {
      growth.get(task.name)!.push(figure(1000 * (await measured((turn) => task.discodb(discodb, turn)))));
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
    const ours = await measured((turn) => task.discodb(discodb, turn));
    const mingo = await measured(async (turn) => task.mingo(plain, turn));
    const byHand = await measured(async (turn) => task.byHand(plain, turn));
    rows.push([task.name, figure(ours), figure(mingo), figure(byHand), `${figure(mingo / ours)} ×`]);
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

/** The median of the times that one turn took, in ms, once the code is warm. */
async function measured(run: (turn: number) => Promise<number>): Promise<number> {
  const times: number[] = [];
  const begun = performance.now();
  for (let turn = 0; times.length < MIN_TURNS || performance.now() - begun < MEASURED_MS; turn++) {
    const start = performance.now();
    await run(turn);
    times.push(performance.now() - start);
  }
  return percentile(
    times.sort((left, right) => left - right),
    0.5,
  );
}
