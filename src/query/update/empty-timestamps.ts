import { type Doc, Timestamp, type Value } from '../../bson/index.ts';
import type { QueryContext } from '../types.ts';

/**
 * A document that is to be stored, with the time in place of each timestamp of zeros at its top level but for an `_id`
 * (`fixDocumentForInsert`). The same object where there is none, or the command asks to keep them.
 */
export function withTimestamps(doc: Doc, context: QueryContext): Doc {
  if (context.keepsEmptyTimestamps || ![...doc].some(isEmpty)) return doc;
  const { clusterTime, now } = context;
  const time = clusterTime ?? new Timestamp({ t: Math.floor(now.getTime() / 1000), i: 1 });
  return new Map([...doc].map((field): [string, Value] => (isEmpty(field) ? [field[0], time] : field)));
}

function isEmpty([name, value]: readonly [string, Value]): boolean {
  return name !== '_id' && value instanceof Timestamp && value.t === 0 && value.i === 0;
}
