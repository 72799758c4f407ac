import type { ArrayParts, Doc } from '../../bson/index.ts';
import { bracketOf, intersection, isPoint, WildcardPaths, wildcardsOf } from '../../indexes/index.ts';
import { boundsOf, type Condition, PATH_FIELD } from './condition.ts';
import type { Choice } from './plan.ts';
import type { TextOrdering } from './text-ordering.ts';

/** A wildcard index as the index of one path that it stands for, with the conditions that bound it. */
export interface PathChoice {
  readonly choice: Choice;
  readonly conditions: readonly Condition[];
}

/**
 * A wildcard index holds what documents have, leaf by leaf, and no document as a whole: it serves conditions that say
 * something about leaves, on one path at a time. Each such path makes an index of its own.
 */
export function pathChoices(choice: Choice, conditions: readonly Condition[], texts: TextOrdering): PathChoice[] {
  const paths = new WildcardPaths(choice.spec);
  const others = conditions.filter(({ path }) => choice.key.has(path));
  const leaves = conditions.filter((condition) => paths.holds(condition.path) && isAboutLeaves(condition, texts));
  const found = [...new Set(leaves.map(({ path }) => path))];
  // The other fields of a compound one serve without it.
  if (found.length === 0) return others.length > 0 ? [withoutPath(choice, others)] : [];
  const { arrayPaths } = choice.index();
  return found.map((path) => {
    const own = leaves.filter((condition) => condition.path === path);
    return { choice: withPath(choice, path, arrayPaths), conditions: [pathCondition(path), ...others, ...own] };
  });
}

/** The condition's values are found as they are: no documents, which are taken apart, and nothing that is not there. */
function isAboutLeaves(condition: Condition, texts: TextOrdering): boolean {
  const bounds = boundsOf(condition, true, texts);
  if (!bounds || bounds.matchesMissing) return false;
  return intersection(bounds.intervals, [bracketOf(new Map())!]).every(
    (each) => isPoint(each) && each.low instanceof Map && each.low.size === 0,
  );
}

function withPath(choice: Choice, path: string, arrayPaths: ReadonlySet<string>): Choice {
  const parts = path.split('.');
  const own = parts.flatMap((_, part) => (arrayPaths.has(parts.slice(0, part + 1).join('.')) ? [part] : []));
  const { key, arrays } = expand(choice, path, new Set(own));
  return { ...choice, key, arrays: arrays.some((each) => each.size > 0) ? arrays : undefined };
}

/** A document has a key for each of its paths, so it is to be met more than once. */
function withoutPath(choice: Choice, conditions: readonly Condition[]): PathChoice {
  return { choice: { ...choice, ...expand(choice, '', new Set()) }, conditions };
}

function expand(choice: Choice, path: string, own: ReadonlySet<number>): { key: Doc; arrays: ArrayParts } {
  const [wildcard] = wildcardsOf(choice.key);
  const key: Doc = new Map();
  const arrays: ReadonlySet<number>[] = [];
  for (const [field, [name, direction]] of [...choice.key].entries()) {
    if (name === wildcard) {
      key.set(PATH_FIELD, 1).set(path, direction);
      arrays.push(new Set(), own);
    } else {
      key.set(name, direction);
      arrays.push(choice.arrays?.[field] ?? new Set());
    }
  }
  return { key, arrays };
}

function pathCondition(path: string): Condition {
  return {
    path: PATH_FIELD,
    parts: [PATH_FIELD],
    operator: '$eq',
    operand: path,
    negated: false,
    scopes: [],
    source: { kind: 'other', name: PATH_FIELD, operand: path },
  };
}
