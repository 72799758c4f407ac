import type { Doc, Value } from '../../bson/index.ts';
import { badValue, failedToParse } from '../error.ts';
import { checkNoSpecialFeatures, compileFilter, type Predicate } from '../filter/index.ts';
import type { QueryContext } from '../types.ts';
import { isArray, isDoc, MISSING } from '../value.ts';

/** Conditions on array elements by the identifier of `$[identifier]`. */
export type ArrayFilters = ReadonlyMap<string, Pick<Predicate, 'single'>>;

const IDENTIFIER = /^[a-z][a-zA-Z0-9]*$/;

export function parseArrayFilters(filters: readonly Doc[], context: QueryContext): ArrayFilters {
  const parsed = new Map<string, Pick<Predicate, 'single'>>();
  for (const filter of filters) {
    checkNoSpecialFeatures(filter);
    const name = identifierOf(filter);
    if (name === undefined)
      throw failedToParse('Cannot use an expression without a top-level field name in arrayFilters');
    if (!IDENTIFIER.test(name)) {
      throw badValue(
        `Error parsing array filter :: caused by :: The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '${name}'`,
      );
    }
    if (parsed.has(name)) {
      throw failedToParse(`Found multiple array filters with the same top-level field name ${name}`);
    }
    const compiled = compileFilter(filter, context);
    // The element stands under the identifier's name, and is not taken apart when it is an array itself.
    parsed.set(name, {
      single: (value) => value !== MISSING && compiled.matches(new Map<string, Value>([[name, value]])),
    });
  }
  return parsed;
}

/** The one top-level field that a filter is about. */
function identifierOf(filter: Doc): string | undefined {
  let found: string | undefined;
  for (const [name, operand] of filter) {
    const names =
      name.startsWith('$') && isArray(operand) ? operand.filter(isDoc).map(identifierOf) : [name.split('.')[0]];
    for (const other of names) {
      if (found !== undefined && other !== undefined && found !== other) {
        throw failedToParse(
          `Error parsing array filter :: caused by :: Expected a single top-level field name, found '${found}' and '${other}'`,
        );
      }
      found ??= other;
    }
  }
  return found;
}
