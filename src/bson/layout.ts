import { Buffer } from 'node:buffer';
import { MIN_KEY_BYTE, TYPE } from './types.ts';

/** For a size: the value itself says, or there is no such type. */
export const VARIABLE = -1;
/** Bytes of the values of each type. */
export const SIZES = new Int8Array(256).fill(VARIABLE);
for (const type of [TYPE.undefined, TYPE.null, MIN_KEY_BYTE, TYPE.maxKey]) SIZES[type] = 0;
for (const type of [TYPE.double, TYPE.date, TYPE.timestamp, TYPE.long]) SIZES[type] = 8;
SIZES[TYPE.bool] = 1;
SIZES[TYPE.int] = 4;
SIZES[TYPE.objectId] = 12;
SIZES[TYPE.decimal] = 16;

/** They stay for good (250 bytes each). Documents of further kinds have the layout of what they begin with; a number has two bytes. */
export const MAX_LAYOUTS = 2 ** 14;
/** Ways to go on from one layout: where names are data (`{user17: 1}`), they are not learned. */
export const MAX_BRANCHES = 32;
export const MAX_FIELDS = 32;

/**
 * How documents begin: the names and types of their first fields, up to the first whose size differs from one document to
 * the next. In documents of one layout these fields stand at the same offsets (a hidden class, as engines of JavaScript
 * call it, for bytes). Layouts are a tree: each adds one field to its parent.
 */
export class Layout {
  readonly #parent: Layout | undefined;
  readonly #label: Uint8Array;
  readonly #branches: Layout[] = [];
  readonly #depth: number;
  readonly number: number;
  /** The last field's, as `latin1`. */
  readonly #name: string;
  /** The last field's value; 0 when there is no field. */
  readonly start: number;
  /** From where on documents differ: the type byte of the next field, or of the last one where its size is its own. */
  readonly rest: number;

  constructor(parent?: Layout, label: Uint8Array = new Uint8Array()) {
    this.#parent = parent;
    this.#label = label;
    this.#name = Buffer.from(label.subarray(1, -1)).toString('latin1');
    this.#depth = parent ? parent.#depth + 1 : 0;
    this.start = parent ? parent.rest + label.length : 0;
    const size = parent ? SIZES[label[0]!]! : VARIABLE;
    this.rest = size === VARIABLE ? (parent?.rest ?? 4) : this.start + size;
    this.number = layouts.push(this) - 1;
  }

  get type(): number {
    return this.#label[0]!;
  }

  /** Of a document that is whole; undefined when there is no further field that all of its kind have at one place. */
  next(bytes: Uint8Array): Layout | undefined {
    if (this.rest < this.start || this.rest >= bytes.length - 1) return undefined;
    let next: Layout | undefined;
    for (const branch of this.#branches) {
      if (!branch.#continues(bytes, this.rest)) continue;
      next = branch;
      break;
    }
    next ??= this.#branch(bytes);
    return next && next.rest < bytes.length ? next : undefined;
  }

  /** The layout that ends with the first field of that name (its UTF-8 as `latin1`), if there is one. */
  find(name: string): Layout | undefined {
    if (!this.#parent) return undefined;
    return this.#parent.find(name) ?? (this.#name === name ? this : undefined);
  }

  #continues(bytes: Uint8Array, at: number): boolean {
    const label = this.#label;
    for (let i = 0; i < label.length; i++) if (bytes[at + i] !== label[i]) return false;
    return true;
  }

  #branch(bytes: Uint8Array): Layout | undefined {
    if (this.#branches.length === MAX_BRANCHES || this.#depth === MAX_FIELDS) return undefined;
    const nameEnd = bytes.indexOf(0, this.rest + 1);
    if (layouts.length === MAX_LAYOUTS || nameEnd < 0) return undefined;
    const branch = new Layout(this, bytes.slice(this.rest, nameEnd + 1));
    this.#branches.push(branch);
    return branch;
  }
}

const layouts: Layout[] = [];
const NO_FIELDS = new Layout();

export function layoutOf(bytes: Uint8Array): Layout {
  let layout = NO_FIELDS;
  for (let next = layout.next(bytes); next; next = layout.next(bytes)) layout = next;
  return layout;
}

export function layoutNumbered(number: number): Layout {
  return layouts[number]!;
}
