import { type Env, withContext } from '../base/index.ts';
import { type Collator, comparison, type Doc, encodeKey, pathValues, type Value } from '../bson/index.ts';
import type { FindQuery } from './contract.ts';
import { findDocs } from './find.ts';
import type { CollectionHandle } from './handle.ts';

/** Distinct values of a dotted path over the matches, arrays taken apart, sorted as a mongos sorts them. */
export async function distinctValues(
  env: Env,
  handle: CollectionHandle,
  path: string,
  query: FindQuery,
): Promise<Value[]> {
  const distinct = new DistinctValues(path, query.context.collator);
  const matches = await findDocs(env, handle, query);
  try {
    for await (const batch of matches) distinct.add(batch);
  } catch (error) {
    throw withContext(error, 'Executor error during distinct command');
  }
  return distinct.sorted();
}

/** The values that documents have at a path. */
export class DistinctValues {
  readonly #path: string;
  readonly #collator: Collator | undefined;
  readonly #seen = new Map<string, Value>();

  constructor(path: string, collator: Collator | undefined) {
    this.#path = path;
    this.#collator = collator;
  }

  add(docs: readonly Doc[]): void {
    for (const doc of docs) {
      const { values, array } = pathValues(doc, this.#path);
      for (const value of values) {
        // What an index has for an empty array.
        if (array && value === undefined) continue;
        const key = encodeKey(value, false, this.#collator);
        if (!this.#seen.has(key)) this.#seen.set(key, value);
      }
    }
  }

  sorted(): Value[] {
    // Boxed: sorting would put `undefined` last without asking.
    const compare = comparison(this.#collator);
    const boxed = [...this.#seen.values()].map((value) => ({ value })).sort((a, b) => compare(a.value, b.value));
    return boxed.map(({ value }) => value);
  }
}
