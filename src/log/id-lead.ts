import { snowflakeAt } from '../store/index.ts';

/** Where a document's first element, its `_id`, has its type and its value. */
const TYPE_AT = 4;
const NAME_AT = 5;
const VALUE_AT = 9;
const OBJECT_ID = 0x07;
/** What sorts above every ObjectId: bool, date, regex, dbPointer, both kinds of code, timestamp, maxKey. */
const ABOVE_OBJECT_ID: ReadonlySet<number> = new Set([0x08, 0x09, 0x0b, 0x0c, 0x0d, 0x0f, 0x11, 0x7f]);

/** Longer than any ObjectId can be ahead: no place in the channel follows from an `_id`. */
export const AHEAD_MAX = 2 ** 32;

/**
 * How far that may be wrong: a request that was repeated may have left two messages, of which the other one counts; and
 * the ids that Discord's machines give at one time are no finer than their clocks.
 */
const SLACK_MS = 60_000;

/**
 * How many seconds a document's `_id` is ahead of the time at which its message was posted, by Discord's clock; 0 where
 * it is not. A type that sorts above ObjectId counts as AHEAD_MAX, so that what is known for a log holds for every `_id`
 * from an ObjectId up: a document in a message posted at P has an `_id` below ObjectId(P + ahead + 1). Documents move
 * only to newer messages, so that stays true whatever is updated, moved, or given an old `_id`.
 */
export function secondsAhead(document: Uint8Array, postedAt: number): number {
  const type = document[TYPE_AT]!;
  if (document[NAME_AT] !== 0x5f || document[NAME_AT + 1] !== 0x69 || document[NAME_AT + 2] !== 0x64) return AHEAD_MAX;
  if (type !== OBJECT_ID) return ABOVE_OBJECT_ID.has(type) ? AHEAD_MAX : 0;
  const at = VALUE_AT;
  const seconds =
    document[at]! * 2 ** 24 + document[at + 1]! * 2 ** 16 + document[at + 2]! * 2 ** 8 + document[at + 3]!;
  return Math.max(0, seconds - Math.floor(postedAt / 1000));
}

/** The lowest id of a message that may hold an `_id` of ObjectId(`seconds`) or above, where the log is `ahead`. */
export function placeOfIds(seconds: number, ahead: number): bigint {
  return snowflakeAt((seconds - ahead) * 1000 - SLACK_MS);
}

/** Above the seconds of every ObjectId in messages that were posted until `postedAt`, where the log is `ahead`. */
export function idsUntil(postedAt: number, ahead: number): number {
  return Math.floor((postedAt + SLACK_MS) / 1000) + ahead + 1;
}
