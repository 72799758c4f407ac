import { CodedError } from '../../base/index.ts';
import type { FindQuery } from '../../engine/index.ts';
import { exactOperand } from '../../query/index.ts';
import {
  any,
  byHand,
  collectionName,
  document,
  type Field,
  integer,
  type Parsed,
  toNumber,
  withDefault,
} from '../fields.ts';
import type { Context, Request } from '../types.ts';
import { collectionUuid } from './collection-uuid.ts';
import { checkNatural, collation, hint, queryContext } from './query.ts';

const MIN_LONG = -(2n ** 63n);

/** Negative ones come from old shells and mean the same number. */
const limit = (): Field<number | undefined> =>
  byHand((value) => {
    if (toNumber(value) === undefined) throw new CodedError('BadValue', 'limit value is not a valid number');
    const long = exactOperand('limit', value);
    if (long === MIN_LONG) throw new CodedError('BadValue', 'limit value for count cannot be min long');
    return Math.abs(Number(long));
  });

export const countFields = {
  count: collectionName(),
  query: document(),
  limit: withDefault(limit(), 0),
  skip: withDefault(integer({ min: 0 }), 0),
  hint: hint(),
  collation: collation(),
  // Old drivers send a projection that counting has no use for.
  fields: any(),
  collectionUUID: collectionUuid(),
};

export function countQuery(args: Parsed<typeof countFields>, request: Request, context: Context): FindQuery {
  checkNatural(undefined, args.hint);
  return {
    filter: args.query ?? new Map(),
    skip: args.skip,
    limit: args.limit,
    hint: args.hint,
    read: request.generic.readConcern.read,
    collation: args.collation,
    context: queryContext(context),
  };
}
