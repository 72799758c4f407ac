/** What a write does to the documents it names. A document holds the tags of its writes, so a read shows its history. */
export type WriteKind = 'create' | 'append' | 'upsert' | 'delete';
/** `doubt`: nobody knows whether it was carried out, or when it will come to light. `void`: for sure it changed nothing. */
export type Status = 'doubt' | 'ok' | 'void';
/** Documents by `_id`, all of a group, or all of the collection. */
export type Target = readonly string[] | number | 'all';

export interface Write {
  readonly kind: WriteKind;
  readonly coll: string;
  readonly tag: string;
  readonly target: Target;
  /** What unique indexes watch over: field and value, `u7`. */
  readonly keys?: readonly string[] | undefined;
  readonly invoke: number;
  /** When it was known to have happened. */
  complete: number;
  status: Status;
  /** The last process that it was sent to. */
  process: number;
  /** The client has given it up: what is seen of it later is all that will ever be known. */
  abandoned: boolean;
}

/** What was asked, and when. */
export interface Asked {
  readonly coll: string;
  readonly invoke: number;
  readonly complete: number;
  readonly process: number;
}

/** A read of one document: at one moment between the two it held `tags`, or was not there. */
export interface Read extends Asked {
  readonly id: string;
  readonly tags: readonly string[] | undefined;
  /** What was seen stands in Discord for sure. */
  readonly durable: boolean;
}

/** All that was ever tried on one document. */
export interface History {
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

export function listIn<T>(map: Map<string, T[]>, key: string): T[] {
  const list = map.get(key) ?? [];
  map.set(key, list);
  return list;
}

/** It was acknowledged before the read began, by a process whose word binds the one that read. */
export function binds(write: Write, read: Asked): boolean {
  return write.status === 'ok' && write.complete < read.invoke && write.process <= read.process;
}

export function touches({ coll, target }: Write, ofColl: string, id: string): boolean {
  if (coll !== ofColl) return false;
  if (typeof target === 'number') return target === groupOf(id);
  return target === 'all' || target.includes(id);
}

/** The documents that it names one by one. */
export function idsOf({ target }: Pick<Write, 'target'>): readonly string[] {
  return typeof target === 'object' ? target : [];
}

export function span({ invoke, complete }: { readonly invoke: number; readonly complete: number }): string {
  return `${invoke}..${complete}`;
}

export function show(write: Write): string {
  return `${write.kind} ${write.tag} (${write.status}, process ${write.process}, ${span(write)})`;
}
