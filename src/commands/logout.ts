import { defineCommand } from './command.ts';

export const logout = defineCommand({
  name: 'logout',
  lenient: true,
  help: 'ends the login of this connection: there is none',
  fields: {},
  run: () => new Map(),
});
