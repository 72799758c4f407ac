import { CodedError } from '../../base/index.ts';
import type { Value } from '../../bson/index.ts';
import { badValue, located } from '../error.ts';
import { isArray, isDoc } from '../value.ts';

/** What MongoDB says of `$near` wherever there is no order to find documents in. */
export function nearNotAllowed(): CodedError {
  return located(
    5626500,
    '$geoNear, $near, and $nearSphere are not allowed in this context, as these operators require sorting geospatial ' +
      'data. If you do not need sort, consider using $geoWithin instead. Check out ' +
      'https://dochub.mongodb.org/core/near-sort-operation and ' +
      'https://dochub.mongodb.org/core/nearSphere-sort-operationfor more details.',
  );
}

type Refusals = ReadonlyMap<string, () => CodedError>;

/** What needs an index, an order or a script, none of which a validator has. */
const IN_VALIDATORS: Refusals = new Map([
  ['$text', () => badValue('$text is not allowed in this context')],
  ['$where', () => badValue('$where is not allowed in this context')],
  ...['$near', '$nearSphere', '$geoNear'].map((name) => [name, nearNotAllowed] as const),
]);

const SPECIAL_FEATURES: Refusals = new Map([
  ...IN_VALIDATORS,
  ...['$expr', '$jsonSchema'].map(
    (name) => [name, () => new CodedError('QueryFeatureNotAllowed', `${name} is not allowed in this context`)] as const,
  ),
]);

/** Operators whose operand is no query. */
const OPAQUE: ReadonlySet<string> = new Set(['$expr', '$jsonSchema', '$eq', '$ne', '$in', '$nin', '$comment']);

/** Throws for an operator that a validator cannot have. */
export function checkInValidator(query: Value): void {
  check(query, IN_VALIDATORS);
}

/** Throws for what `kBanAllSpecialFeatures` bans: in partial indexes' filters, `arrayFilters`, and under `$elemMatch` and beside `$` of projections. */
export function checkNoSpecialFeatures(query: Value): void {
  check(query, SPECIAL_FEATURES);
}

function check(query: Value, refusals: Refusals): void {
  if (isArray(query)) for (const each of query) check(each, refusals);
  if (!isDoc(query)) return;
  for (const [name, operand] of query) {
    const refusal = refusals.get(name);
    if (refusal) throw refusal();
    if (!OPAQUE.has(name)) check(operand, refusals);
  }
}
