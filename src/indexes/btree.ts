import { createRequire } from 'node:module';
import type SortedBTree from 'sorted-btree';

/** A B+ tree of texts in code unit order. The package is CommonJS, whose default export loaders disagree about. */
export type BTree = SortedBTree.default<string, number>;

interface Package {
  readonly default: typeof SortedBTree.default;
  readonly simpleComparator: (a: string, b: string) => number;
}

const sortedBTree: Package = createRequire(import.meta.url)('sorted-btree');

export function createBTree(): BTree {
  return new sortedBTree.default<string, number>(undefined, sortedBTree.simpleComparator);
}
