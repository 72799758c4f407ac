import { type Doc, type KeptDoc, TYPE } from '../../bson/index.ts';
import { type Path, SEVERAL, soleValue, type Visitor, visitPath, visitSeveral } from '../path.ts';
import { type Found, MISSING } from '../value.ts';

/** What a match may leave behind: the array index that `$` stands for. Absent below a negation. */
export interface Details {
  positional: number | undefined;
}

/** Says whether a whole document matches. */
export type Matcher = (doc: Doc | KeptDoc, details: Details | undefined) => boolean;

/** A condition on the values at some path, not yet bound to one. */
export interface Predicate {
  /** Whether this one value matches, arrays not taken apart. */
  single(value: Found, details?: Details): boolean;
  /** The condition on the path of a document: mostly that some value there matches. */
  at(path: Path): Matcher;
}

/** How a test may be spared work. */
export interface LeafOptions {
  /** Elements of an array at the end of the path are tried one by one; by default they are. */
  readonly spread?: boolean;
  /** ASCII: the one string that passes, and what stands in the bytes of every other value that does. */
  readonly needle?: string | undefined;
  /** The test makes no difference between an int32 and a double of the same value. */
  readonly plain?: boolean;
}

/** Some value at the path passes the test. */
export function leaf(test: (value: Found, details?: Details) => boolean, options: LeafOptions = {}): Predicate {
  const { spread = true, needle, plain = false } = options;
  return {
    single: test,
    at: (path) => (doc, details) => {
      if (typeof doc === 'string') {
        const sole = soleValue(doc, path);
        if (sole === MISSING) return test(MISSING, details);
        if (sole !== SEVERAL) {
          if (needle !== undefined && sole.type === TYPE.string) return sole.isText(needle);
          return test(sole.value(plain), details);
        }
      }
      const visit: Visitor = (value, offset) => {
        if (!test(value, details)) return false;
        if (details && offset !== undefined) details.positional = offset;
        return true;
      };
      if (typeof doc === 'string') return visitSeveral(doc, path, spread, visit, needle);
      return visitPath(doc, path, spread, visit);
    },
  };
}

export function all(predicates: readonly Predicate[]): Predicate {
  if (predicates.length === 1) return predicates[0]!;
  return {
    single: (value, details) => predicates.every((predicate) => predicate.single(value, details)),
    at: (path) => conjunction(predicates.map((predicate) => predicate.at(path))),
  };
}

export function not(predicate: Predicate): Predicate {
  return {
    single: (value) => !predicate.single(value),
    at: (path) => {
      const matcher = predicate.at(path);
      return (doc) => !matcher(doc, undefined);
    },
  };
}

export function conjunction(matchers: readonly Matcher[]): Matcher {
  if (matchers.length === 1) return matchers[0]!;
  return (doc, details) => matchers.every((matcher) => matcher(doc, details));
}

export function disjunction(matchers: readonly Matcher[]): Matcher {
  if (matchers.length === 1) return matchers[0]!;
  return (doc, details) => matchers.some((matcher) => matcher(doc, details));
}

export function negation(matcher: Matcher): Matcher {
  return (doc) => !matcher(doc, undefined);
}
