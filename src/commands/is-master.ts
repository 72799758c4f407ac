import { defineCommand } from './command.ts';
import { helloFields, helloReply } from './shared/hello.ts';

export const isMaster = defineCommand({
  name: 'isMaster',
  aliases: ['ismaster'],
  apiV1: true,
  lenient: true,
  help: 'hello under its old name',
  fields: helloFields,
  run: (args, request, context) => helloReply(args, request, context, 'ismaster'),
});
