import { noSearchIndexes } from '../query/index.ts';
import { defineCommand } from './command.ts';
import { collectionName, string } from './fields.ts';

/** Atlas Search alone has such indexes: this answers as a MongoDB without it. */
export const dropSearchIndex = defineCommand({
  name: 'dropSearchIndex',
  help: 'removes an index of Atlas Search, which is not here',
  fields: { dropSearchIndex: collectionName(), id: string(), name: string() },
  run() {
    throw noSearchIndexes();
  },
});
