import { noSearchIndexes } from '../query/index.ts';
import { defineCommand } from './command.ts';
import { collectionName, document, required, string } from './fields.ts';

/** Atlas Search alone has such indexes: this answers as a MongoDB without it. */
export const updateSearchIndex = defineCommand({
  name: 'updateSearchIndex',
  help: 'changes an index of Atlas Search, which is not here',
  fields: { updateSearchIndex: collectionName(), id: string(), name: string(), definition: required(document()) },
  run() {
    throw noSearchIndexes();
  },
});
