import { defineCommand } from './command.ts';

export const ping = defineCommand({
  name: 'ping',
  apiV1: true,
  lenient: true,
  help: 'answers',
  fields: {},
  run: () => new Map(),
});
