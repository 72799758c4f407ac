import {
  type Asked,
  binds,
  groupOf,
  type History,
  idsOf,
  listIn,
  type Read,
  show,
  span,
  touches,
  Violation,
  type Write,
} from './history.ts';

interface Known {
  readonly tags: readonly string[];
  readonly at: number;
  readonly process: number;
}

const EVERYTHING = () => true;

/**
 * Keeps the history of every document, and throws a `Violation` when something was answered that no order of the
 * operations explains. It checks each document by itself, and is sound rather than complete, for it goes by what is
 * certain from the times: what was answered before something else was asked came first. A read must show
 * - nothing that was not written there, that was refused, or twice;
 * - every write that was acknowledged before the read began, unless a deletion may have come between;
 * - no document whose deletion was acknowledged after its creation was;
 * - writes in an order that their times allow, and after all that an earlier durable read or answer showed;
 * - of a batch all or nothing, once any of it is known to be durable.
 * A count must lie between what is there for sure and what may be there; while a unique index is there for sure, no two
 * documents that are there for sure have the same key.
 * A process that another one has followed may answer from the past: only its own operations and older ones bind it.
 */
export class Checker {
  readonly #writes = new Map<string, Write>();
  readonly #histories = new Map<string, Map<string, History>>();
  /** By group of a collection, or of all of it. */
  readonly #groups = new Map<string, Write[]>();
  readonly #holders = new Map<string, Write[]>();
  /** Fields of collections whose unique index is there for sure. */
  readonly #guarded = new Set<string>();
  /** By `_id` and the tag that created it: the most of a document that is known to be durable. */
  readonly #durable = new Map<string, Known>();
  /** Documents of which no read needs an explanation why they are not there. */
  readonly #buried = new WeakSet<History>();
  newestProcess = 0;
  readonly counts = { acknowledged: 0, doubtful: 0, cameToLight: 0, reads: 0, counted: 0, keysRefused: 0, repeated: 0 };

  begin(write: Omit<Write, 'complete' | 'status' | 'abandoned'>): Write {
    const begun: Write = { ...write, complete: Number.POSITIVE_INFINITY, status: 'doubt', abandoned: false };
    this.#writes.set(begun.tag, begun);
    if (typeof begun.target !== 'object') {
      listIn(this.#groups, `${begun.coll}/${begun.target}`).push(begun);
      return begun;
    }
    for (const id of begun.target) {
      const history = this.#history(begun.coll, id);
      this.#buried.delete(history);
      if (begun.kind === 'delete') history.deletes.push(begun);
      else {
        if (begun.kind !== 'append') history.creates.push(begun);
        if (begun.kind !== 'create') history.appends.push(begun);
      }
    }
    for (const key of begun.keys ?? []) listIn(this.#holders, `${begun.coll}/${key}`).push(begun);
    return begun;
  }

  /** Every write, for a trace. */
  writes(): Iterable<Write> {
    return this.#writes.values();
  }

  /** It was answered: carried out. */
  acknowledge(write: Write, at: number): void {
    this.counts.acknowledged++;
    if (write.kind === 'create') for (const id of idsOf(write)) this.#checkAbsent(write.coll, id, write, at);
    write.complete = at;
    write.status = 'ok';
    for (const key of write.keys ?? []) this.#checkUnique(write.coll, key, [write], at);
  }

  /** It was answered: nothing changed, for there was no such document. */
  metNothing(write: Write, at: number): void {
    const { coll, invoke, process } = write;
    this.pass(write, at);
    for (const id of idsOf(write))
      this.read({ coll, id, tags: undefined, invoke, complete: at, process, durable: false });
  }

  /** It was answered: nothing changed; what else that says is not known. */
  pass(write: Write, at: number): void {
    write.status = 'void';
    write.complete = at;
  }

  /** It was answered: refused, because a key was taken. */
  refuse(write: Write, at: number): void {
    this.counts.keysRefused++;
    this.pass(write, at);
    const ids = idsOf(write);
    if (ids.some((id) => this.#history(write.coll, id).wild)) return;
    const others = (write.keys ?? []).flatMap((key) => listIn(this.#holders, `${write.coll}/${key}`));
    const same = ids.flatMap((id) => this.#history(write.coll, id).creates);
    const taken = [...others, ...same].some(
      (other) => other !== write && other.invoke < at && this.#mayLive(other, { ...write, complete: at }),
    );
    if (!taken) throw new Violation(`${show(write)} was refused, and nothing can have held its key`);
  }

  abandon(write: Write): void {
    write.abandoned = true;
    this.counts.doubtful++;
  }

  disturb(coll: string, id: string): void {
    this.#history(coll, id).wild = true;
  }

  /** Documents of a collection that were made for sure. */
  madeIn(coll: string): number {
    const histories = [...this.#ofCollection(coll).values()];
    return histories.filter(({ creates }) => creates.some(({ status }) => status === 'ok')).length;
  }

  /** The unique keys that whoever wrote `tag` gave. */
  keysOf(tag: string): readonly string[] {
    return this.#writes.get(tag)?.keys ?? [];
  }

  /** From now on a unique index of the field is there. */
  guard(coll: string, field: string, at: number): void {
    this.#guarded.add(`${coll}/${field}`);
    for (const [key, holders] of this.#holders)
      if (key.startsWith(`${coll}/${field}`)) this.#checkUnique(coll, key.slice(coll.length + 1), holders, at);
  }

  /** From now on it may not be there. */
  unguard(coll: string, field: string): void {
    this.#guarded.delete(`${coll}/${field}`);
  }

  isGuarded(coll: string, field: string): boolean {
    return this.#guarded.has(`${coll}/${field}`);
  }

  read(read: Read): void {
    this.counts.reads++;
    if (read.tags) this.#checkPresent(read, read.tags);
    else this.#checkGone(read);
  }

  /** A read of a whole collection, or of what a filter lets through; what is not in `found` was not there. */
  scan(
    read: Omit<Read, 'id' | 'tags'>,
    found: readonly (readonly [string, readonly string[]])[],
    wanted: (id: string) => boolean = EVERYTHING,
  ): void {
    const { coll } = read;
    const present = new Map<string, readonly string[]>();
    for (const [id, tags] of found) {
      const before = present.get(id);
      if (before && before[0] === tags[0]) throw new Violation(`${coll}/${id} came twice in one read`);
      if (!wanted(id)) throw new Violation(`${coll}/${id} came in a read that did not ask for it`);
      present.set(id, tags);
      this.read({ ...read, id, tags });
    }
    for (const [id, history] of this.#ofCollection(coll)) {
      if (this.#buried.has(history) || present.has(id) || !wanted(id)) continue;
      this.read({ ...read, id, tags: undefined });
      if (this.#isBuried(coll, id, history)) this.#buried.add(history);
    }
  }

  /** Since `asked` was asked, all was removed that had expired by then. */
  mustHaveExpired({ coll, invoke }: Asked, found: readonly (readonly [string, readonly string[]])[]): void {
    for (const [id] of found) {
      const late = this.#history(coll, id).deletes.find((one) => one.invoke < invoke);
      if (late) throw new Violation(`${coll}/${id} expired at ${late.invoke} and is still there`);
    }
  }

  /** A count of a whole collection, or of what a filter lets through. */
  count(asked: Asked, n: number, wanted: (id: string) => boolean = EVERYTHING): void {
    this.counts.counted++;
    let [least, most] = [0, 0];
    for (const [id, history] of this.#ofCollection(asked.coll)) {
      if (!wanted(id)) continue;
      const { creates, appends, wild } = history;
      const mustLive = (write: Write) =>
        binds(write, asked) && !this.#mayBeDeleted(asked.coll, id, write.invoke, asked.complete);
      if (!wild && [...creates, ...appends].some(mustLive)) least++;
      if (wild || creates.some((write) => write.invoke <= asked.complete && this.#mayLive(write, asked, id))) most++;
    }
    if (n >= least && n <= most) return;
    const { coll, process } = asked;
    throw new Violation(
      `a count of ${coll} by process ${process} in ${span(asked)} gave ${n}, not ${least} to ${most}`,
    );
  }

  #checkPresent(read: Read, tags: readonly string[]): void {
    const { coll, id, complete, process } = read;
    const history = this.#history(coll, id);
    const seen: Write[] = [];
    let newest = Number.NEGATIVE_INFINITY;
    for (const [at, tag] of tags.entries()) {
      const write = this.#writes.get(tag);
      if (!write || !touches(write, coll, id) || write.invoke > complete || write.kind === 'delete')
        fail(`${coll}/${id} held ${tag}, which nobody wrote there`, read);
      if (write.status === 'void' && write.process <= process && write.complete < read.invoke)
        fail(`${coll}/${id} held ${tag}, which was refused`, read);
      if ((at === 0) !== (write.kind === 'create' || (write.kind === 'upsert' && at === 0)))
        fail(`${coll}/${id} begins with ${tags[0]}, and ${tag} came as number ${at}`, read);
      if (history.wild) continue;
      if (seen.includes(write)) fail(`${coll}/${id} held ${tag} twice`, read);
      if (write.complete < newest) fail(`${coll}/${id} held ${tag} after what was asked later`, read);
      newest = Math.max(newest, write.invoke);
      seen.push(write);
    }
    if (history.wild) return;
    const [creator] = seen;
    if (!creator) fail(`${coll}/${id} held no tag at all`, read);
    this.#checkNothingMissing(read, creator, seen);
    this.#checkDurable(read, tags, creator);
    if (read.process < this.newestProcess) return;
    for (const write of seen) {
      // Somebody else than who was asked to write it shows it: so Discord holds it.
      if (!write.abandoned || write.status !== 'doubt' || typeof write.target !== 'object') continue;
      if (!read.durable && read.process <= write.process) continue;
      this.counts.cameToLight++;
      Object.assign(write, { status: 'ok', complete, process });
    }
  }

  #checkNothingMissing(read: Read, creator: Write, seen: readonly Write[]): void {
    const { coll, id } = read;
    const created = creator.status === 'ok' ? creator.complete : Number.POSITIVE_INFINITY;
    const { appends, deletes } = this.#history(coll, id);
    for (const writes of [deletes, appends, ...this.#wide(coll, id)]) {
      for (const write of writes) {
        if (!binds(write, read) || write.invoke <= created) continue;
        if (write.kind === 'delete')
          fail(`${coll}/${id} is there, though ${show(write)} deleted it after ${show(creator)}`, read);
        if (!seen.includes(write)) fail(`${coll}/${id} has lost ${show(write)}`, read);
      }
    }
  }

  #checkDurable(read: Read, tags: readonly string[], creator: Write): void {
    const key = `${read.coll}/${read.id}/${creator.tag}`;
    const known = this.#durable.get(key);
    if (known && known.at < read.invoke && known.process <= read.process) {
      const kept = known.tags.every((tag, at) => tags[at] === tag);
      if (!kept) fail(`${read.coll}/${read.id} went back behind [${known.tags}]`, read);
    }
    if (!read.durable || (known && known.tags.length >= tags.length)) return;
    this.#durable.set(key, { tags, at: read.complete, process: read.process });
  }

  #checkGone(read: Read): void {
    const { coll, id } = read;
    const { creates, appends, wild } = this.#history(coll, id);
    if (wild) return;
    for (const write of [...creates, ...appends]) {
      if (!binds(write, read) || this.#mayBeDeleted(coll, id, write.invoke, read.complete)) continue;
      fail(`${coll}/${id} is not there, though ${show(write)} was acknowledged and nobody deleted it`, read);
    }
  }

  #checkAbsent(coll: string, id: string, { invoke, process, tag }: Write, at: number): void {
    const { creates, wild } = this.#history(coll, id);
    if (wild) return;
    const asked = { coll, invoke, complete: at, process };
    for (const other of creates) {
      if (other.tag === tag || !binds(other, asked) || this.#mayBeDeleted(coll, id, other.invoke, at)) continue;
      throw new Violation(`${coll}/${id} was made by ${tag}, though ${show(other)} had made it and nobody deleted it`);
    }
  }

  /** No two that hold the same key can both be there for sure at one moment, while an index watches. */
  #checkUnique(coll: string, key: string, some: readonly Write[], at: number): void {
    if (!this.#guarded.has(`${coll}/${key.replace(/\d+$/, '')}`)) return;
    const isThere = (write: Write) => {
      const [id] = idsOf(write);
      return write.status === 'ok' && write.complete <= at && !this.#mayBeDeleted(coll, id!, write.invoke, at);
    };
    const holders = listIn(this.#holders, `${coll}/${key}`).filter(isThere);
    for (const write of some.filter(isThere)) {
      const other = holders.find((holder) => holder !== write);
      if (other) throw new Violation(`${show(write)} and ${show(other)} hold the same unique key ${key}`);
    }
  }

  /** When it is asked for, a document that `write` makes may be there. */
  #mayLive(write: Write, asked: Asked, one?: string): boolean {
    if (write.status === 'void') return false;
    const ends = (other: Write) => other.kind === 'delete' && binds(other, asked) && other.invoke > write.complete;
    return (one === undefined ? idsOf(write) : [one]).some((id) => {
      const { deletes } = this.#history(write.coll, id);
      return ![deletes, ...this.#wide(write.coll, id)].some((writes) => writes.some(ends));
    });
  }

  /** A deletion that can have been carried out after `since` began, and before `until`. */
  #mayBeDeleted(coll: string, id: string, since: number, until: number): boolean {
    const possible = (write: Write) =>
      write.kind === 'delete' && write.status !== 'void' && write.invoke <= until && write.complete >= since;
    const history = this.#history(coll, id);
    return history.wild || [history.deletes, ...this.#wide(coll, id)].some((writes) => writes.some(possible));
  }

  /** All that made it is known, and a deletion was acknowledged since. */
  #isBuried(coll: string, id: string, { creates, deletes, wild }: History): boolean {
    if (wild) return false;
    const made = creates.filter(({ status }) => status !== 'void');
    const ends = ({ kind, status, invoke }: Write) =>
      kind === 'delete' && status === 'ok' && made.every((write) => write.status === 'ok' && write.complete < invoke);
    return made.length === 0 || [deletes, ...this.#wide(coll, id)].some((writes) => writes.some(ends));
  }

  #ofCollection(coll: string): Map<string, History> {
    const ofCollection = this.#histories.get(coll) ?? new Map<string, History>();
    this.#histories.set(coll, ofCollection);
    return ofCollection;
  }

  #history(coll: string, id: string): History {
    const ofCollection = this.#ofCollection(coll);
    const history = ofCollection.get(id) ?? { creates: [], appends: [], deletes: [], wild: false };
    ofCollection.set(id, history);
    return history;
  }

  /** Writes that touched a document among others. */
  #wide(coll: string, id: string): readonly (readonly Write[])[] {
    return [listIn(this.#groups, `${coll}/${groupOf(id)}`), listIn(this.#groups, `${coll}/all`)];
  }
}

function fail(text: string, read: Read): never {
  const seen = read.tags ? `[${read.tags}]` : 'absent';
  throw new Violation(`${text} (read by process ${read.process} in ${span(read)}: ${seen})`);
}
