import type { FindQuery } from '../../engine/index.ts';
import { any, collectionName, document, integer, type Parsed, withDefault } from '../fields.ts';
import type { Context, Request } from '../types.ts';
import { collectionUuid } from './collection-uuid.ts';
import { checkNatural, collation, hint, queryContext } from './query.ts';

export const countFields = {
  count: collectionName(),
  query: document(),
  // Negative limits come from old shells and mean the same number.
  limit: withDefault(integer(), 0),
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
    limit: Math.abs(args.limit),
    hint: args.hint,
    read: request.generic.readConcern.read,
    collation: args.collation,
    context: queryContext(context),
  };
}
