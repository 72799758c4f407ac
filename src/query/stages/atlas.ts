import { CodedError } from '../../base/index.ts';

const HOW =
  'requires additional configuration. Please connect to Atlas or an AtlasCLI local deployment to enable. ' +
  'For more information on how to connect, see https://dochub.mongodb.org/core/atlas-cli-deploy-local-reqs.';

/** What a MongoDB without Atlas Search says to its stages. */
export function noSearchStages(): CodedError {
  return new CodedError('SearchNotEnabled', `Using $search and $vectorSearch aggregation stages ${HOW}`);
}

/** And to whoever wants its indexes. */
export function noSearchIndexes(): CodedError {
  const what = 'Using Atlas Search Database Commands and the $listSearchIndexes aggregation stage';
  return new CodedError('SearchNotEnabled', `${what} ${HOW}`);
}
