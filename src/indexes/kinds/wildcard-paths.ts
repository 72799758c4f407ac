import { type Doc, isNumber, type Value } from '../../bson/index.ts';

/** Which paths a wildcard index holds: below `a` of `a.$**`, or what `wildcardProjection` leaves. */
export class WildcardPaths {
  readonly #included: readonly string[];
  readonly #excluded: readonly string[];

  constructor(definition: Doc) {
    const [wildcard] = wildcardsOf(definition.get('key') as Doc);
    const projection = definition.get('wildcardProjection');
    if (wildcard !== '$**') {
      this.#included = [wildcard!.slice(0, -'.$**'.length)];
      this.#excluded = [];
      return;
    }
    const { included, excluded } = flatten(projection instanceof Map ? projection : new Map());
    this.#included = included.some((path) => path !== '_id') ? included : [];
    // Without a word about it, `_id` is left out.
    const left = included.includes('_id') ? excluded : [...new Set(['_id', ...excluded])];
    this.#excluded = this.#included.length > 0 ? [] : left;
  }

  /** The same for all projections that leave the same. */
  get signature(): Value {
    return [[...this.#included].sort(), [...this.#excluded].sort()];
  }

  /** A value at the path is held. */
  holds(path: string): boolean {
    if (this.#excluded.some((other) => isWithin(path, other))) return false;
    return this.#included.length === 0 || this.#included.some((other) => isWithin(path, other));
  }

  /** So is all that is below it. */
  holdsBelow(path: string): boolean {
    return this.holds(path) && !this.#excluded.some((other) => isWithin(other, path));
  }

  /** A value below the path may be held. */
  leadsOn(path: string): boolean {
    return this.holds(path) || this.#included.some((other) => isWithin(other, path));
  }
}

/** The fields of a key pattern that stand for many. */
export function wildcardsOf(pattern: Doc): string[] {
  return [...pattern.keys()].filter((path) => path === '$**' || path.endsWith('.$**'));
}

function isWithin(path: string, other: string): boolean {
  return path === other || path.startsWith(`${other}.`);
}

function flatten(projection: Doc, prefix = ''): { included: string[]; excluded: string[] } {
  const included: string[] = [];
  const excluded: string[] = [];
  for (const [name, value] of projection) {
    const path = prefix + name;
    if (value instanceof Map) {
      const inner = flatten(value, `${path}.`);
      included.push(...inner.included);
      excluded.push(...inner.excluded);
    } else (isTrue(value) ? included : excluded).push(path);
  }
  return { included, excluded };
}

function isTrue(value: Value): boolean {
  return isNumber(value) ? Number(value) !== 0 : Boolean(value);
}
