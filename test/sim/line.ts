import type { Doc, Value } from '../../src/bson/index.ts';
import type { Process, Stage } from '../support/stage.ts';

/** A client's connections, one to each process. */
export class Line {
  readonly #stage: Stage;
  readonly #connections = new WeakMap<Process, (command: object) => Promise<Doc>>();
  /** What it waits for, for a report when that never comes. */
  waiting: string | undefined;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Undefined when the process ended before it answered. */
  async send(process: Process, command: object): Promise<Doc | undefined> {
    const run = this.#connections.get(process) ?? process.connect();
    this.#connections.set(process, run);
    this.waiting = `${Object.keys(command)[0]} sent to process ${process.number} at ${this.#stage.clock.now()}`;
    const reply = await Promise.race([run(command), process.ended.then(() => undefined)]);
    this.waiting = undefined;
    return process.life.ended ? undefined : reply;
  }
}

export function codeOf(reply: Doc): number {
  const errors = reply.get('writeErrors');
  if (Array.isArray(errors)) return Number((errors[0] as Doc).get('code'));
  if (Number(reply.get('ok')) !== 1) return Number(reply.get('code'));
  const failed = Number(reply.get('nErrors') ?? 0) > 0 ? batchOf(reply).find((one) => one.has('code')) : undefined;
  return failed ? Number(failed.get('code')) : 0;
}

/** Documents met or made. */
export function countOf(reply: Doc): number {
  if (reply.has('value')) return reply.get('value') === null ? 0 : 1;
  return Number(reply.get('n') ?? reply.get('nInserted'));
}

export function metNothing(reply: Doc): boolean {
  return countOf(reply) === 0;
}

export function batchOf(reply: Doc): Doc[] {
  const cursor = reply.get('cursor') as Doc;
  return (cursor.get('firstBatch') ?? cursor.get('nextBatch')) as Doc[];
}

export function idOf(document: Doc): string {
  return String(document.get('_id'));
}

export function tagsOf(document: Doc): string[] {
  return ((document.get('log') ?? []) as Value[]).map(String);
}

export function show(reply: Doc): string {
  return JSON.stringify(Object.fromEntries(reply), (_, value) =>
    value instanceof Map ? Object.fromEntries(value) : typeof value === 'bigint' ? String(value) : value,
  ).slice(0, 400);
}
