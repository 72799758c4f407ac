import { test } from 'vitest';
import { expectRefused, ownServer } from '../support/own-server.ts';

const own = ownServer();

test.each(['$search', '$searchMeta', '$vectorSearch', '$listSearchIndexes'])('%s is refused', async (stage) => {
  await expectRefused(own.things.aggregate([{ [stage]: {} }]).toArray(), 31082, 'SearchNotEnabled');
});

test.each([
  '$listClusterCatalog',
  '$rankFusion',
  '$listSampledQueries',
  '$querySettings',
  '$queryStats',
  '$shardedDataDistribution',
  '$changeStreamSplitLargeEvent',
])('%s is unknown', async (stage) => {
  await expectRefused(own.things.aggregate([{ [stage]: {} }]).toArray(), 40324, 'Location40324');
});
