import { located } from '../../base/index.ts';
import type { FindQuery } from '../../engine/index.ts';
import { collectionName, document, type Parsed, required, string } from '../fields.ts';
import type { Context, Request } from '../types.ts';
import { checkNatural, collation, hint, queryContext } from './query.ts';

/** What MongoDB's errors about these fields call the command. */
export const DISTINCT_PATH = 'distinctCommandRequest';

export const distinctFields = {
  distinct: collectionName(),
  key: required(string()),
  query: document(),
  collation: collation(),
  hint: hint(),
};

export function distinctQuery(args: Parsed<typeof distinctFields>, request: Request, context: Context): FindQuery {
  checkNatural(undefined, args.hint);
  if (args.key.includes('\0')) throw located(31032, 'Key field cannot contain an embedded null byte');
  return {
    distinct: args.key,
    paths: new Set([args.key]),
    filter: args.query ?? new Map(),
    skip: 0,
    limit: 0,
    hint: args.hint,
    read: request.generic.readConcern.read,
    collation: args.collation,
    context: queryContext(context),
  };
}
