import { type Doc, doc as literal, type Value } from '../../bson/index.ts';
import type { Execution } from '../find.ts';

/** What the queries behind a `$lookup` did, in the fields that `explain` has for that. */
export function lookupFigures(executions: readonly Execution[]): Doc {
  let [docs, keys, scans] = [0, 0, 0];
  const indexes = new Set<string>();
  for (const { plan, examined } of executions) {
    docs += examined.docs;
    keys += plan?.keysExamined ?? examined.keys;
    const names = plan ? indexesOf(plan.describe()) : [];
    for (const name of names) indexes.add(name);
    if (names.length === 0) scans++;
  }
  return literal({
    totalDocsExamined: BigInt(docs),
    totalKeysExamined: BigInt(keys),
    collectionScans: BigInt(scans),
    indexesUsed: [...indexes].sort(),
  });
}

/** The names of the indexes in a tree of stages. */
function indexesOf(stage: Doc): string[] {
  if (stage.get('stage') === 'IDHACK') return ['_id_'];
  const name = stage.get('indexName');
  const inputs: Value[] = [stage.get('inputStage'), ...((stage.get('inputStages') as Value[] | undefined) ?? [])];
  const below = inputs.flatMap((input) => (input instanceof Map ? indexesOf(input) : []));
  return typeof name === 'string' ? [name, ...below] : below;
}
