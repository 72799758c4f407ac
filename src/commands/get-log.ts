import { CodedError } from '../base/index.ts';
import { doc } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { required, string } from './fields.ts';

const LOGS = ['global', 'startupWarnings'];

/** The log goes to standard error; none of it is kept to be read here. */
export const getLog = defineCommand({
  name: 'getLog',
  adminOnly: true,
  lenient: true,
  help: 'lists log lines kept in memory: none',
  fields: { getLog: required(string()) },
  run({ getLog: name }) {
    if (name === '*') return doc({ names: LOGS });
    if (!LOGS.includes(name)) throw new CodedError('OperationFailed', `No log named '${name}'`);
    return doc({ totalLinesWritten: 0, log: [] });
  },
});
