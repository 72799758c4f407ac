import { noSearchIndexes } from '../query/index.ts';
import { defineCommand } from './command.ts';
import { arrayOf, collectionName, document, required } from './fields.ts';

/** Atlas Search alone has such indexes: this answers as a MongoDB without it. */
export const createSearchIndexes = defineCommand({
  name: 'createSearchIndexes',
  help: 'makes indexes of Atlas Search, which is not here',
  fields: { createSearchIndexes: collectionName(), indexes: required(arrayOf(document())) },
  run() {
    throw noSearchIndexes();
  },
});
