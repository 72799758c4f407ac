import { createRequire } from 'node:module';
import type SortedBTree from 'sorted-btree';

/** A B+ tree of texts. The package is CommonJS, whose default export loaders disagree about. */
export type BTree<V> = SortedBTree.default<string, V>;

interface Package {
  readonly default: typeof SortedBTree.default;
  readonly simpleComparator: (a: string, b: string) => number;
}

const sortedBTree: Package = createRequire(import.meta.url)('sorted-btree');

/** In the order of `compare`, or of code units. */
export function createBTree<V>(compare: (a: string, b: string) => number = sortedBTree.simpleComparator): BTree<V> {
  return new sortedBTree.default<string, V>(undefined, compare);
}
