import { type Doc, encode, type Value } from '../../bson/index.ts';
import { arrayCursor, type CursorOptions } from '../cursors.ts';
import { integer, struct } from '../fields.ts';
import { type SessionKey, sessionKey } from '../sessions.ts';
import type { Context, Request } from '../types.ts';

/** `cursor: {batchSize}` of aggregate and of the list commands. */
export const cursorField = () => struct({ batchSize: integer({ min: 0 }) });

/** The session that a cursor made by this request belongs to. */
export function sessionOf(request: Request): SessionKey | undefined {
  return request.generic.lsid && sessionKey(request.generic.lsid);
}

/** `{cursor: {firstBatch, id, ns}}` over documents at hand. */
export async function listReply(
  docs: readonly Doc[],
  options: CursorOptions,
  request: Request,
  context: Context,
): Promise<Doc> {
  const source = arrayCursor(docs.map(encode));
  // Without a batch size, all that fits: a list is short.
  const batchSize = options.batchSize ?? Number.POSITIVE_INFINITY;
  const cursor = await context.cursors.begin(
    source,
    { ...options, batchSize, session: sessionOf(request) },
    request.operation,
  );
  return new Map<string, Value>([['cursor', cursor]]);
}
