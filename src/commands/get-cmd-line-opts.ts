import { doc } from '../bson/index.ts';
import { defineCommand } from './command.ts';

/** `server.argv` comes from the composition without its secrets. */
export const getCmdLineOpts = defineCommand({
  name: 'getCmdLineOpts',
  adminOnly: true,
  lenient: true,
  help: 'tells how the server was started',
  fields: {},
  run: (_args, _request, { server }) => doc({ argv: [...server.argv], parsed: {} }),
});
