/**
 * Public tests that fail for what this version of the Node.js driver does, whatever server answers: part of a test's
 * name, and the reason. One that passes is a failure of this list.
 */
export const KNOWN: ReadonlyMap<RegExp, string> = new Map([
  [
    /(Aggregate with \$out|BulkWrite|FindOneAndReplace|FindOneAndUpdate|InsertMany) passes bypassDocumentValidation: false$/,
    'the driver sends bypassDocumentValidation only when it is true',
  ],
  [
    /inserting _id with type null via (insertOne|insertMany|bulkWrite|clientBulkWrite)$/,
    'the driver puts an ObjectId where _id is null',
  ],
  [/errors if the command response is not a cursor$/, 'the driver sends the command of a cursor when that is read'],
  [/partialResult is unset when/, 'the driver has a partial result of zeros there'],
  [/download when final chunk is missing$/, 'the driver ends the stream at the last chunk that there is'],
  [/gridfs-download.json: Download succeeds on first attempt$/, 'the driver asks for the _id by $eq'],
  [/entity-client-cmap-events.json: events are captured during an operation$/, 'the driver pings while it connects'],
]);

/**
 * What a failure says of something that DiscoDB does not have, and the entry of DIFFERENCES.md that says the same: such
 * a test has nothing to try here.
 */
export const LACKING: ReadonlyMap<RegExp, number> = new Map([
  [/DiscoDB does not support multi-document transactions yet$/, 1],
  [/DiscoDB does not support change streams yet$/, 2],
  [/DiscoDB does not support readConcern snapshot yet$/, 4],
  [/DiscoDB does not support time series collections yet$/, 5],
]);
