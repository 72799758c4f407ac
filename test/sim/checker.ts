/** What a write does to the documents it names. A document holds the tags of its writes, so a read shows its history. */
export type WriteKind = 'create' | 'append' | 'upsert' | 'delete';
/** `doubt`: nobody knows whether it was carried out, or when it will come to light. `void`: for sure it changed nothing. */
export type Status = 'doubt' | 'ok' | 'void';

export interface Write {
  readonly kind: WriteKind;
  readonly coll: string;
  readonly tag: string;
  /** By `_id`; all documents of a group where it is a number. */
  readonly target: readonly string[] | number;
  /** What a unique index watches over. */
  readonly unique?: number | undefined;
  readonly invoke: number;
  /** When it was known to have happened. */
  complete: number;
  status: Status;
  /** The last process that it was sent to. */
  process: number;
  /** The client has given it up: what is seen of it later is all that will ever be known. */
  abandoned: boolean;
}

/** A read of one document: at one moment between the two it held `tags`, or was not there. */
export interface Read {
  readonly coll: string;
  readonly id: string;
  readonly tags: readonly string[] | undefined;
  readonly invoke: number;
  readonly complete: number;
  readonly process: number;
  /** What was seen stands in Discord for sure. */
  readonly durable: boolean;
}

interface Known {
  readonly tags: readonly string[];
  readonly at: number;
  readonly process: number;
}

/** All that was ever tried on one document. */
interface History {
  readonly creates: Write[];
  readonly appends: Write[];
  readonly deletes: Write[];
  /** A person deleted a message of it: any state of it may be gone or come back. */
  wild: boolean;
}

export class Violation extends Error {
  override readonly name = 'Violation';
}

export const GROUPS = 4;

/** The number at its end tells the group. */
export function groupOf(id: string): number {
  return Number(/\d+$/.exec(id)?.[0] ?? 0) % GROUPS;
}

/**
 * Keeps the history of every document, and throws a `Violation` when something was answered that no order of the
 * operations explains. It checks each document by itself, and is sound rather than complete, for it goes by what is
 * certain from the times: what was answered before something else was asked came first. A read must show
 * - nothing that was not written there, that was refused, or twice;
 * - every write that was acknowledged before the read began, unless a deletion may have come between;
 * - no document whose deletion was acknowledged after its creation was;
 * - writes in an order that their times allow, and after all that an earlier durable read or answer showed;
 * - of a batch all or nothing, once any of it is known to be durable.
 * A process that another one has followed may answer from the past: only its own operations and older ones bind it.
 */
export class Checker {
  readonly #writes = new Map<string, Write>();
  readonly #histories = new Map<string, Map<string, History>>();
  readonly #groups = new Map<string, Write[]>();
  readonly #uniques = new Map<string, Write[]>();
  /** By `_id` and the tag that created it: the most of a document that is known to be durable. */
  readonly #durable = new Map<string, Known>();
  newestProcess = 0;
  readonly counts = { acknowledged: 0, doubtful: 0, cameToLight: 0, reads: 0, refused: 0, repeated: 0 };

  begin(write: Omit<Write, 'complete' | 'status' | 'abandoned'>): Write {
    const begun: Write = { ...write, complete: Number.POSITIVE_INFINITY, status: 'doubt', abandoned: false };
    this.#writes.set(begun.tag, begun);
    if (typeof begun.target === 'number') {
      this.#group(begun.coll, begun.target).push(begun);
      return begun;
    }
    for (const id of begun.target) {
      const { creates, appends, deletes } = this.#history(begun.coll, id);
      if (begun.kind === 'delete') deletes.push(begun);
      else {
        if (begun.kind !== 'append') creates.push(begun);
        if (begun.kind !== 'create') appends.push(begun);
      }
    }
    if (begun.unique !== undefined) this.#holders(begun).push(begun);
    return begun;
  }

  /** It was answered: carried out. */
  acknowledge(write: Write, at: number): void {
    this.counts.acknowledged++;
    if (write.kind === 'create')
      for (const id of write.target as string[]) this.#checkAbsent(write.coll, id, write, at);
    write.complete = at;
    write.status = 'ok';
    if (write.unique !== undefined) this.#checkUnique(write);
  }

  /** It was answered: nothing changed, for there was no such document. */
  metNothing(write: Write, at: number): void {
    const { coll, target, invoke, process } = write;
    write.status = 'void';
    write.complete = at;
    if (typeof target === 'number') return;
    for (const id of target) this.read({ coll, id, tags: undefined, invoke, complete: at, process, durable: false });
  }

  /** It was answered: refused, because a key was taken. */
  refuse(write: Write, at: number): void {
    this.counts.refused++;
    write.status = 'void';
    write.complete = at;
    const others = write.unique === undefined ? [] : this.#holders(write);
    const ids = write.target as string[];
    if (ids.some((id) => this.#history(write.coll, id).wild)) return;
    const same = ids.flatMap((id) => this.#history(write.coll, id).creates);
    const taken = [...others, ...same].some(
      (other) => other !== write && other.invoke < at && this.#mayLive(other, write.invoke),
    );
    if (!taken) this.#fail(`${show(write)} was refused, and nothing can have held its key`);
  }

  abandon(write: Write): void {
    write.abandoned = true;
    this.counts.doubtful++;
  }

  disturb(coll: string, id: string): void {
    this.#history(coll, id).wild = true;
  }

  read(read: Read): void {
    this.counts.reads++;
    if (read.tags) this.#checkPresent(read, read.tags);
    else this.#checkGone(read);
  }

  /** A read of a whole collection, or of what a filter lets through; what is not in `found` was not there. */
  scan(
    { coll, ...read }: Omit<Read, 'id' | 'tags'>,
    found: readonly (readonly [string, readonly string[]])[],
    wanted: (id: string) => boolean = () => true,
  ): void {
    const present = new Map<string, readonly string[]>();
    for (const [id, tags] of found) {
      const before = present.get(id);
      if (before && before[0] === tags[0]) this.#fail(`${coll}/${id} came twice in one read`);
      present.set(id, tags);
      this.read({ ...read, coll, id, tags });
    }
    for (const id of [...(this.#histories.get(coll)?.keys() ?? [])]) {
      if (!present.has(id) && wanted(id)) this.read({ ...read, coll, id, tags: undefined });
    }
  }

  #checkPresent(read: Read, tags: readonly string[]): void {
    const { coll, id, complete, process } = read;
    const history = this.#history(coll, id);
    const seen: Write[] = [];
    let newest = Number.NEGATIVE_INFINITY;
    for (const [at, tag] of tags.entries()) {
      const write = this.#writes.get(tag);
      if (!write || !touches(write, coll, id) || write.invoke > complete || write.kind === 'delete')
        this.#fail(`${coll}/${id} held ${tag}, which nobody wrote there`, read);
      if (write.status === 'void' && write.process <= process && write.complete < read.invoke)
        this.#fail(`${coll}/${id} held ${tag}, which was refused`, read);
      if ((at === 0) !== (write.kind === 'create' || (write.kind === 'upsert' && at === 0)))
        this.#fail(`${coll}/${id} begins with ${tags[0]}, and ${tag} came as number ${at}`, read);
      if (history.wild) continue;
      if (seen.includes(write)) this.#fail(`${coll}/${id} held ${tag} twice`, read);
      if (write.complete < newest) this.#fail(`${coll}/${id} held ${tag} after what was asked later`, read);
      newest = Math.max(newest, write.invoke);
      seen.push(write);
    }
    if (history.wild) return;
    const [creator] = seen;
    if (!creator) this.#fail(`${coll}/${id} held no tag at all`, read);
    this.#checkNothingMissing(read, creator, seen);
    this.#checkDurable(read, tags, creator);
    if (read.process < this.newestProcess) return;
    for (const write of seen) {
      // Somebody else than who was asked to write it shows it: so Discord holds it.
      if (!write.abandoned || write.status !== 'doubt' || typeof write.target === 'number') continue;
      if (!read.durable && read.process <= write.process) continue;
      this.counts.cameToLight++;
      Object.assign(write, { status: 'ok', complete, process });
    }
  }

  #checkNothingMissing(read: Read, creator: Write, seen: readonly Write[]): void {
    const { coll, id } = read;
    const created = creator.status === 'ok' ? creator.complete : Number.POSITIVE_INFINITY;
    const { appends, deletes } = this.#history(coll, id);
    const group = this.#group(coll, groupOf(id));
    for (const write of [...deletes, ...appends, ...group]) {
      if (!binds(write, read) || write.invoke <= created) continue;
      if (write.kind === 'delete')
        this.#fail(`${coll}/${id} is there, though ${show(write)} deleted it after ${show(creator)}`, read);
      if (!seen.includes(write)) this.#fail(`${coll}/${id} has lost ${show(write)}`, read);
    }
  }

  #checkDurable(read: Read, tags: readonly string[], creator: Write): void {
    const key = `${read.coll}/${read.id}/${creator.tag}`;
    const known = this.#durable.get(key);
    if (known && known.at < read.invoke && known.process <= read.process) {
      const kept = known.tags.every((tag, at) => tags[at] === tag);
      if (!kept) this.#fail(`${read.coll}/${read.id} went back behind [${known.tags}]`, read);
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
      this.#fail(`${coll}/${id} is not there, though ${show(write)} was acknowledged and nobody deleted it`, read);
    }
  }

  #checkAbsent(coll: string, id: string, { invoke, process, tag }: Write, at: number): void {
    const { creates, wild } = this.#history(coll, id);
    if (wild) return;
    const read = { coll, id, tags: undefined, invoke, complete: at, process, durable: false };
    for (const other of creates) {
      if (other.tag === tag || !binds(other, read) || this.#mayBeDeleted(coll, id, other.invoke, at)) continue;
      this.#fail(`${coll}/${id} was made by ${tag}, though ${show(other)} had made it and nobody deleted it`);
    }
  }

  /** No two that hold the same value can both have been there for sure at one moment. */
  #checkUnique(write: Write): void {
    const [id] = write.target as string[];
    if (this.#mayBeDeleted(write.coll, id!, write.invoke, write.complete)) return;
    for (const other of this.#holders(write)) {
      const [otherId] = other.target as string[];
      if (other === write || other.status !== 'ok' || other.complete > write.complete) continue;
      if (this.#mayBeDeleted(other.coll, otherId!, other.invoke, write.complete)) continue;
      this.#fail(`${show(write)} and ${show(other)} hold the same unique value`);
    }
  }

  /** At or after `since`, the documents that `write` makes may be there. */
  #mayLive(write: Write, since: number): boolean {
    if (write.status === 'void') return false;
    return (write.target as string[]).some((id) => {
      const { deletes } = this.#history(write.coll, id);
      const all = [...deletes, ...this.#group(write.coll, groupOf(id)).filter(({ kind }) => kind === 'delete')];
      return !all.some((one) => one.status === 'ok' && one.invoke > write.complete && one.complete < since);
    });
  }

  /** A deletion that can have been carried out after `since` began, and before `until`. */
  #mayBeDeleted(coll: string, id: string, since: number, until: number): boolean {
    const possible = (write: Write) =>
      write.kind === 'delete' && write.status !== 'void' && write.invoke <= until && write.complete >= since;
    const history = this.#history(coll, id);
    return history.wild || history.deletes.some(possible) || this.#group(coll, groupOf(id)).some(possible);
  }

  #history(coll: string, id: string): History {
    const ofCollection = this.#histories.get(coll) ?? new Map<string, History>();
    this.#histories.set(coll, ofCollection);
    const history = ofCollection.get(id) ?? { creates: [], appends: [], deletes: [], wild: false };
    ofCollection.set(id, history);
    return history;
  }

  #group(coll: string, group: number): Write[] {
    return listIn(this.#groups, `${coll}/${group}`);
  }

  #holders({ coll, unique }: Write): Write[] {
    return listIn(this.#uniques, `${coll}/${unique}`);
  }

  #fail(text: string, read?: Read): never {
    const seen = read
      ? ` (read by process ${read.process} in ${span(read)}: ${read.tags ? `[${read.tags}]` : 'absent'})`
      : '';
    throw new Violation(text + seen);
  }
}

function listIn(map: Map<string, Write[]>, key: string): Write[] {
  const list = map.get(key) ?? [];
  map.set(key, list);
  return list;
}

/** It was acknowledged before the read began, by a process whose word binds the one that read. */
function binds(write: Write, read: Read): boolean {
  return write.status === 'ok' && write.complete < read.invoke && write.process <= read.process;
}

function touches({ coll, target }: Write, ofColl: string, id: string): boolean {
  return coll === ofColl && (typeof target === 'number' ? target === groupOf(id) : target.includes(id));
}

function span({ invoke, complete }: { readonly invoke: number; readonly complete: number }): string {
  return `${invoke}..${complete}`;
}

function show(write: Write): string {
  return `${write.kind} ${write.tag} (${write.status}, process ${write.process}, ${span(write)})`;
}
