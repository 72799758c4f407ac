import { inContext } from '../../base/index.ts';
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
    const { compiled, name } = inContext('Error parsing array filter', () => parse(filter, context));
    if (name === undefined)
      throw failedToParse('Cannot use an expression without a top-level field name in arrayFilters');
    if (parsed.has(name)) {
      throw failedToParse(`Found multiple array filters with the same top-level field name ${name}`);
    }
    // The element stands under the identifier's name.
    parsed.set(name, {
      single: (value) => value !== MISSING && compiled.matches(new Map<string, Value>([[name, value]])),
    });
  }
  return parsed;
}

function parse(filter: Doc, context: QueryContext) {
  checkNoSpecialFeatures(filter);
  const compiled = compileFilter(filter, context);
  const name = identifierOf(filter);
  if (name === undefined || IDENTIFIER.test(name)) return { compiled, name };
  throw badValue(
    `The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '${name}'`,
  );
}

/** The one top-level field that a filter is about. */
function identifierOf(filter: Doc): string | undefined {
  let found: string | undefined;
  for (const [name, operand] of filter) {
    const logical = isArray(operand) ? operand.filter(isDoc).map(identifierOf) : [];
    const names = name.startsWith('$') ? logical : [name.split('.')[0]];
    for (const other of names) {
      if (found !== undefined && other !== undefined && found !== other) {
        throw failedToParse(`Expected a single top-level field name, found '${found}' and '${other}'`);
      }
      found ??= other;
    }
  }
  return found;
}
