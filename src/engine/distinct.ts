import type { Env } from '../base/index.ts';
import { comparison, encodeKey, pathValues, type Value } from '../bson/index.ts';
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
  const { collator } = query.context;
  const seen = new Map<string, Value>();
  for await (const batch of findDocs(env, handle, query)) {
    for (const value of batch.flatMap((doc) => pathValues(doc, path).values)) {
      const key = encodeKey(value, false, collator);
      if (!seen.has(key)) seen.set(key, value);
    }
  }
  // Boxed: sorting would put `undefined` last without asking.
  const compare = comparison(collator);
  const boxed = [...seen.values()].map((value) => ({ value })).sort((a, b) => compare(a.value, b.value));
  return boxed.map(({ value }) => value);
}
