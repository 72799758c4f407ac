import { defineCommand } from './command.ts';
import { helloFields, helloReply } from './shared/hello.ts';

export const hello = defineCommand({
  name: 'hello',
  apiV1: true,
  lenient: true,
  help: 'tells clients what this server is and can',
  fields: helloFields,
  run: (args, request, context) => helloReply(args, request, context, 'isWritablePrimary'),
});
