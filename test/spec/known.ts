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
]);
