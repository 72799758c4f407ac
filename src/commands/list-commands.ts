import { type Doc, doc } from '../bson/index.ts';
import { defineCommand } from './command.ts';

export const listCommands = defineCommand({
  name: 'listCommands',
  lenient: true,
  help: 'lists the commands of this server',
  fields: {},
  run(_args, _request, context) {
    const commands: Doc = new Map();
    for (const { name, help, adminOnly, apiV1, aliases } of context.commands.values()) {
      const apiVersions = apiV1 ? ['1'] : [];
      commands.set(
        name,
        doc({ help, requiresAuth: false, secondaryOk: true, adminOnly, apiVersions, aliases: [...aliases] }),
      );
    }
    return doc({ commands });
  },
});
