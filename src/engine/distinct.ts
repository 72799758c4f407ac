import type { Env } from '../base/index.ts';
import { encodeKey, pathValues, type Value } from '../bson/index.ts';
import type { FindQuery } from './contract.ts';
import { findDocs } from './find.ts';
import type { CollectionHandle } from './handle.ts';

/** Distinct values of a dotted path over the matches, arrays taken apart, in order of first appearance. */
export async function distinctValues(
  env: Env,
  handle: CollectionHandle,
  path: string,
  query: FindQuery,
): Promise<Value[]> {
  const seen = new Map<string, Value>();
  for await (const batch of findDocs(env, handle, query)) {
    for (const value of batch.flatMap((doc) => pathValues(doc, path).values)) {
      const key = encodeKey(value);
      if (!seen.has(key)) seen.set(key, value);
    }
  }
  return [...seen.values()];
}
