/** What is told of an operator that failed, or, under a negation, succeeded. */
export interface Reasons {
  readonly normal: string;
  readonly inverted: string;
  /** It looks at an array's elements, and not at the array. */
  readonly elements: boolean;
  /** The types that it is about, sorted; absent: all. */
  readonly types?: readonly string[];
}

const NUMBERS = ['decimal', 'double', 'int', 'long'];

function reasons(normal: string, inverted: string, elements: boolean, types?: readonly string[]): Reasons {
  return types ? { normal, inverted, elements, types } : { normal, inverted, elements };
}

const COMPARISON = reasons('comparison failed', 'comparison succeeded', true);
const IN = reasons('no matching value found in array', 'matching value found in array', true);
const BITS = reasons('bitwise operator failed to match', 'bitwise operator matched successfully', true, [
  'binData',
  ...NUMBERS,
]);
const GEO_WITHIN = reasons(
  'none of the considered geometries were contained within the expression’s geometry',
  'at least one of considered geometries was contained within the expression’s geometry',
  true,
);

/** MongoDB's words. */
export const REASONS: ReadonlyMap<string, Reasons> = new Map([
  ...['$eq', '$ne', '$gt', '$gte', '$lt', '$lte'].map((name) => [name, COMPARISON] as const),
  ['$in', IN],
  ['$nin', IN],
  ...['$bitsAllSet', '$bitsAllClear', '$bitsAnySet', '$bitsAnyClear'].map((name) => [name, BITS] as const),
  ['$exists', reasons('path does not exist', 'path does exist', false)],
  ['$type', reasons('type did not match', 'type did match', true)],
  [
    '$mod',
    reasons('$mod did not evaluate to expected remainder', '$mod did evaluate to expected remainder', true, NUMBERS),
  ],
  [
    '$regex',
    reasons('regular expression did not match', 'regular expression did match', true, ['regex', 'string', 'symbol']),
  ],
  [
    '$size',
    reasons('array length was not equal to given size', 'array length was equal to given size', false, ['array']),
  ],
  [
    '$elemMatch',
    reasons('array did not satisfy the child predicate', 'array did satisfy the child predicate', false, ['array']),
  ],
  ['$all', reasons('array did not contain all specified values', 'array did contain all specified values', false)],
  ['$geoWithin', GEO_WITHIN],
  ['$within', GEO_WITHIN],
  [
    '$geoIntersects',
    reasons(
      'none of the considered geometries intersected the expression’s geometry',
      'at least one of considered geometries intersected the expression’s geometry',
      true,
    ),
  ],
  ['$alwaysFalse', reasons('expression always evaluates to false', 'expression always evaluates to true', false)],
  ['$alwaysTrue', reasons('expression always evaluates to false', 'expression always evaluates to true', false)],
]);
