import type { Doc } from '../../src/bson/index.ts';
import type { Process, Stage } from '../support/stage.ts';
import { LEAVING, QUERY_PLAN_KILLED, type Surroundings } from './clients.ts';
import { Violation, type Write } from './history.ts';
import { batchOf, codeOf, countOf, Line, show } from './line.ts';
import { DB, HEAPS, ROAMING, THINGS, UNIQUES } from './steps.ts';

const NAMES = ['roam-a', 'roam-b'] as const;
const FILL = 10;
const DUPLICATE_KEY = 11000;
const NAMESPACE_NOT_FOUND = 26;
const NAMESPACE_EXISTS = 48;
/** Clients changed documents all the time. */
const LEFT_NO_MOMENT = 96;

/** What a collection is called that changes its name, as far as that is known. */
export class Roaming {
  readonly #stage: Stage;
  /** Its name, if `#sureSince` has passed; else it may have the other one. */
  name: string = NAMES[0];
  ids: readonly string[] = [];
  #sureSince = Number.NEGATIVE_INFINITY;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  get sure(): boolean {
    return this.#sureSince !== Number.POSITIVE_INFINITY;
  }

  get other(): string {
    return NAMES.find((name) => name !== this.name)!;
  }

  guess(): { name: string; ids: readonly string[] } {
    return { name: this.#stage.chance(0.8) ? this.name : this.other, ids: this.ids };
  }

  /** From `since` until now. */
  wasCalled(name: string, since: number): boolean {
    return name === this.name && this.#sureSince <= since;
  }

  doubt(): void {
    this.#sureSince = Number.POSITIVE_INFINITY;
  }

  settle(name: string): void {
    this.name = name;
    this.#sureSince = this.#stage.clock.now();
  }
}

/** One who makes, renames and drops a collection, and lets a unique index come and go, while clients use them. */
export class Clerk {
  readonly line: Line;
  readonly #world: Surroundings;
  #serial = 0;

  constructor(world: Surroundings) {
    this.#world = world;
    this.line = new Line(world.stage);
  }

  async run(): Promise<void> {
    const { stage, roaming } = this.#world;
    while (!this.#world.ended) {
      await stage.sleep(stage.integer(8 * this.#world.leisureMs));
      const process = this.#world.process();
      if (!process || this.#world.ended) continue;
      const dice = stage.integer(100);
      if (!roaming.sure) await this.#findName(process);
      if (dice < 15) await this.#compact(process);
      else if (dice < 35) await this.#changeIndex(process);
      else if (dice < 65 || !roaming.sure) await this.#rename(process);
      else if (dice < 90) await this.#fill(process);
      else await this.#drop(process);
    }
  }

  /** New documents, in a new collection where there is none. */
  async #fill(process: Process): Promise<void> {
    const { roaming } = this.#world;
    const tag = `clerk.${++this.#serial}`;
    const ids = Array.from({ length: FILL }, (_, at) => `r${this.#serial}-${at}`);
    const documents = ids.map((_id) => ({ _id, log: [tag] }));
    const write = this.#begin({ kind: 'create', tag, target: ids, process });
    roaming.ids = ids;
    const reply = await this.#send(process, { insert: roaming.name, documents });
    if (!reply) return this.#world.checker.abandon(write);
    if (codeOf(reply) !== 0 || countOf(reply) !== FILL) throw this.#unexpected(reply, `filling ${roaming.name}`);
    this.#done(write);
  }

  async #drop(process: Process): Promise<void> {
    const { roaming, checker } = this.#world;
    const write = this.#begin({ kind: 'delete', tag: `clerk.${++this.#serial}`, target: 'all', process });
    const reply = await this.#send(process, { drop: roaming.name });
    if (!reply) return checker.abandon(write);
    if (codeOf(reply) !== 0) throw this.#unexpected(reply, `dropping ${roaming.name}`);
    this.#done(write);
    this.#world.note('dropped');
  }

  async #rename(process: Process): Promise<void> {
    const { roaming } = this.#world;
    const { name, other, sure } = roaming;
    roaming.doubt();
    const command = { renameCollection: `${DB}.${name}`, to: `${DB}.${other}` };
    const reply = await this.#send(process, command, 'admin');
    if (!reply) return;
    const code = codeOf(reply);
    // Where nobody knew what the name was; or there is no collection at all.
    if (code === NAMESPACE_NOT_FOUND && sure) return roaming.settle(name);
    if (code === NAMESPACE_NOT_FOUND || (code === NAMESPACE_EXISTS && !sure)) return;
    if (code !== 0) throw this.#unexpected(reply, `renaming ${name}`);
    roaming.settle(other);
    this.#world.note('renamed');
  }

  /** Nobody else may notice. */
  async #compact(process: Process): Promise<void> {
    const { stage, roaming, heapSize } = this.#world;
    const names = [THINGS, UNIQUES, roaming.name, ...(heapSize > 0 ? [HEAPS] : [])];
    const name = names[stage.integer(names.length)]!;
    const reply = await this.#send(process, { compact: name });
    if (!reply) return;
    const code = codeOf(reply);
    if (code === LEFT_NO_MOMENT) return this.#world.note('compactionGivenUp');
    if (name === roaming.name && (code === NAMESPACE_NOT_FOUND || code === QUERY_PLAN_KILLED)) return;
    if (code !== 0) throw this.#unexpected(reply, `compacting ${name}`);
    this.#world.note('compacted');
  }

  /** After a rename in doubt: it is still on its way until another one was answered. */
  async #findName(process: Process): Promise<void> {
    const { roaming } = this.#world;
    const found = await this.namesIn(process);
    if (found?.length === 1) roaming.name = found[0]!;
    if (found?.length === 0) roaming.settle(roaming.name);
  }

  async namesIn(process: Process): Promise<string[] | undefined> {
    const reply = await this.#send(process, { listCollections: 1 });
    if (!reply) return undefined;
    const names = batchOf(reply).map((one) => String(one.get('name')));
    const found = names.filter((name) => NAMES.some((one) => one === name));
    if (found.length > 1) throw new Violation(`process ${process.number} has a collection under two names`);
    return found;
  }

  async #changeIndex(process: Process): Promise<void> {
    const { checker, stage } = this.#world;
    if (checker.isGuarded(UNIQUES, 'w')) {
      checker.unguard(UNIQUES, 'w');
      const reply = await this.#send(process, { dropIndexes: UNIQUES, index: 'w' });
      if (reply && codeOf(reply) !== 0) throw this.#unexpected(reply, 'dropping an index that is there');
      if (reply) this.#world.note('indexDropped');
      return;
    }
    const index = { key: { w: 1 }, name: 'w', unique: true };
    const reply = await this.#send(process, { createIndexes: UNIQUES, indexes: [index] });
    if (!reply) return;
    const code = codeOf(reply);
    if (code === DUPLICATE_KEY) return this.#world.note('indexRefused');
    if (code !== 0) throw this.#unexpected(reply, 'building a unique index');
    checker.guard(UNIQUES, 'w', stage.clock.now());
    this.#world.note('indexBuilt');
  }

  /** Indexes that are there for sure are still there. */
  async checkIndexes(process: Process): Promise<void> {
    const { checker } = this.#world;
    const reply = await this.#send(process, { listIndexes: UNIQUES });
    if (!reply) throw new Violation(`process ${process.number} does not list its indexes`);
    const names = batchOf(reply).map((one) => String(one.get('name')));
    for (const field of ['u', 'w'])
      if (checker.isGuarded(UNIQUES, field) && !names.includes(field))
        throw new Violation(`the unique index on ${field} is lost, of ${names}`);
  }

  /** Undefined where it is not known what became of it. */
  async #send(process: Process, command: object, db = DB) {
    const reply = await this.line.send(process, { ...command, $db: db });
    return reply && LEAVING.has(codeOf(reply)) ? undefined : reply;
  }

  #begin({ process, ...write }: Pick<Write, 'kind' | 'tag' | 'target'> & { process: Process }): Write {
    const { checker, stage } = this.#world;
    return checker.begin({ ...write, coll: ROAMING, invoke: stage.clock.now(), process: process.number });
  }

  #done(write: Write): void {
    this.#world.checker.acknowledge(write, this.#world.stage.clock.now());
  }

  #unexpected(reply: Doc, what: string): Violation {
    return new Violation(`the clerk got ${show(reply)} for ${what}`);
  }
}
