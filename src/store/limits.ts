import { assert } from '../base/index.ts';

/** Discord's bounds as this program uses them (discord-facts 2). They are Discord's for a guild without boosts. */

/** Code points in a message's content. What is posted is ASCII, so also UTF-16 units and bytes. */
export const CONTENT_CHARS_MAX = 2000;
export const FILES_MAX = 10;
export const FILE_BYTES_MAX = 10 * 1024 * 1024;
/** Of the whole multipart body. */
export const REQUEST_BYTES_MAX = 25 * 1024 * 1024;
/** Kept free in a request for multipart boundaries, part headers and `payload_json`. */
export const REQUEST_OVERHEAD_BYTES = 64 * 1024;
export const NONCE_CHARS_MAX = 25;
export const PAGE_MESSAGES_MAX = 100;
/** Messages in one bulk delete. */
export const BULK_DELETE_MAX = 100;
/** Older messages can only be deleted one by one. */
export const BULK_DELETE_AGE_MAX_MS = 14 * 24 * 60 * 60 * 1000;
export const TOPIC_CHARS_MAX = 1024;
export const CHANNEL_NAME_CHARS_MAX = 100;

assert(FILE_BYTES_MAX + REQUEST_OVERHEAD_BYTES < REQUEST_BYTES_MAX, 'a full file fits in a request');
assert(FILES_MAX * FILE_BYTES_MAX >= REQUEST_BYTES_MAX, 'bytes, not the number of files, bound a request');
assert(
  REQUEST_OVERHEAD_BYTES > 4 * CONTENT_CHARS_MAX + FILES_MAX * 1024,
  'JSON escapes and part headers fit in the overhead',
);
assert(BULK_DELETE_MAX === PAGE_MESSAGES_MAX, 'what one page shows, one request deletes');
