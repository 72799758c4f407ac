import { figure, markdownTable } from '../table.ts';
import type { Measured } from './closed-loop.ts';
import { type Row, rows } from './rows.ts';
import { type Span, type SpanRow, spans } from './spans.ts';
import { World } from './world.ts';

export interface DiscordBench {
  readonly seed: number;
  /** Only rows whose name has this text. */
  readonly only: string;
}

const HEAD = [
  'operation',
  'clients',
  'ops/s',
  'median ms',
  'p99 ms',
  'requests/op',
  'headers allow ops/s',
  'plain ops/s',
  'plain median ms',
  'plain requests/op',
];
const SPAN_HEAD = ['once', 'seconds', 'requests', 'headers allow seconds', 'plain seconds', 'plain requests'];

/** Prints two tables; the same seed gives the same figures on every machine. */
export async function benchDiscord({ seed, only }: DiscordBench): Promise<void> {
  const wanted = <T extends { readonly name: string }>(all: readonly T[]) =>
    all.filter(({ name }) => name.includes(only));
  const table: string[][] = [];
  for (const row of wanted(rows())) table.push(await rowOf(row, seed));
  const spanTable: string[][] = [];
  for (const row of wanted(spans())) spanTable.push(await spanOf(row, seed));
  console.log(`Virtual time, seed ${seed}, one bot, one collection, documents of 200 B, 50 to 150 ms each way.\n`);
  if (table.length > 0) console.log(`${markdownTable(HEAD, table)}\n`);
  if (spanTable.length > 0) console.log(markdownTable(SPAN_HEAD, spanTable));
}

async function rowOf({ name, clients, discodb, plain, allowed }: Row, seed: number): Promise<string[]> {
  const ours = await played(`${name}, ${clients} clients`, () => World.run(seed, discodb));
  const theirs: Partial<Measured> = plain ? await played('  the plain way', () => World.run(seed, plain)) : {};
  return [
    name,
    String(clients),
    figure(ours.perSecond),
    figure(ours.median),
    figure(ours.p99),
    figure(ours.requestsPerOperation),
    figure(allowed),
    figure(theirs.perSecond),
    figure(theirs.median),
    figure(theirs.requestsPerOperation),
  ];
}

async function spanOf({ name, discodb, plain, allowed }: SpanRow, seed: number): Promise<string[]> {
  const ours = await played(name, () => World.run(seed, discodb));
  const theirs: Partial<Span> = plain ? await played('  the plain way', () => World.run(seed, plain)) : {};
  return [
    name,
    figure(ours.seconds),
    figure(ours.requests),
    figure(allowed),
    figure(theirs.seconds),
    figure(theirs.requests),
  ];
}

/** Says on standard error how long it took in real time: the table is not there before the end. */
async function played<T>(what: string, play: () => Promise<T>): Promise<T> {
  const start = process.hrtime.bigint();
  const result = await play();
  console.error(`${(Number(process.hrtime.bigint() - start) / 1e9).toFixed(1).padStart(6)} s  ${what}`);
  return result;
}
