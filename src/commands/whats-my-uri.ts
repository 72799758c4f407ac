import { doc } from '../bson/index.ts';
import { defineCommand } from './command.ts';

export const whatsMyUri = defineCommand({
  name: 'whatsmyuri',
  lenient: true,
  help: 'tells the address from which the client comes',
  fields: {},
  run: (_args, { connection }) => doc({ you: connection.remote }),
});
