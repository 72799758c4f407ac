import { CodedError } from '../../base/index.ts';
import type { FindQuery } from '../../engine/index.ts';
import { askedOf } from '../../query/index.ts';
import {
  any,
  boolean,
  collectionName,
  document,
  integer,
  optionalBoolean,
  ownedDocument,
  type Parsed,
  withDefault,
} from '../fields.ts';
import type { Context, Request } from '../types.ts';
import { collectionUuid } from './collection-uuid.ts';
import { checkNatural, diskUse, hint, queryContext } from './query.ts';

/** What MongoDB's errors about these fields call the command. */
export const FIND_PATH = 'FindCommandRequest';

export const findFields = {
  find: collectionName(),
  filter: ownedDocument(),
  projection: ownedDocument(),
  sort: ownedDocument(),
  hint: hint(),
  skip: withDefault(integer({ min: 0 }), 0),
  limit: withDefault(integer({ min: 0 }), 0),
  batchSize: integer({ min: 0 }),
  singleBatch: withDefault(optionalBoolean(), false),
  min: ownedDocument(),
  max: ownedDocument(),
  returnKey: optionalBoolean(),
  showRecordId: optionalBoolean(),
  tailable: withDefault(optionalBoolean(), false),
  awaitData: withDefault(optionalBoolean(), false),
  oplogReplay: any(),
  noCursorTimeout: withDefault(optionalBoolean(), false),
  allowDiskUse: optionalBoolean(),
  // Of no effect: there are no shards.
  allowPartialResults: optionalBoolean(),
  mirrored: boolean(),
  collation: ownedDocument(),
  let: document(),
  collectionUUID: collectionUuid(),
};

export function findQuery(args: Parsed<typeof findFields>, request: Request, context: Context): FindQuery {
  const { filter, projection, sort, hint, skip, limit, min, max, returnKey, showRecordId, tailable } = args;
  checkNatural(sort, hint);
  checkTailable(args);
  const sorts = sort !== undefined && sort.size > 0 && !sort.has('$natural');
  if (projection && !sorts && askedOf(projection).has('sortKey')) {
    throw new CodedError('BadValue', 'cannot use sortKey $meta projection without a sort');
  }
  return {
    filter: filter ?? new Map(),
    projection,
    sort: sort?.size === 0 ? undefined : sort,
    hint,
    skip,
    limit,
    min,
    max,
    returnKey,
    showRecordId,
    tailable,
    allowDiskUse: diskUse(args.allowDiskUse, context),
    read: request.generic.readConcern.read,
    collation: args.collation,
    context: queryContext(context, args.let),
  };
}

function checkTailable({ tailable, awaitData, sort, singleBatch }: Parsed<typeof findFields>): void {
  if (!tailable) {
    if (awaitData) throw new CodedError('FailedToParse', "Cannot set 'awaitData' without also setting 'tailable'");
    return;
  }
  const natural = sort?.size === 1 && Number(sort.get('$natural')) === 1;
  if (sort && sort.size > 0 && !natural) {
    throw new CodedError('BadValue', 'cannot use tailable option with a sort other than {$natural: 1}');
  }
  if (singleBatch) throw new CodedError('BadValue', "cannot use tailable option with the 'singleBatch' option");
}
