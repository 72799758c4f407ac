import { MAX_DOCUMENT_BYTES } from '../../bson/index.ts';

/** MongoDB's limits, as hello tells them (`maxMessageSizeBytes`, `maxWriteBatchSize`). */
export const MAX_MESSAGE_BYTES = 48_000_000;
export const MAX_WRITE_BATCH = 100_000;
/** What a reply may hold beyond one document of the largest size. */
export const MAX_REPLY_BYTES = MAX_DOCUMENT_BYTES + 16 * 1024;
