/** MongoDB's limits, as hello tells them (`maxBsonObjectSize`, `maxMessageSizeBytes`, `maxWriteBatchSize`). */
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;
export const MAX_MESSAGE_BYTES = 48_000_000;
export const MAX_WRITE_BATCH = 100_000;
/** What a reply may hold beyond one document of the largest size. */
export const MAX_REPLY_BYTES = MAX_DOCUMENT_BYTES + 16 * 1024;
