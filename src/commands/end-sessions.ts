import { defineCommand } from './command.ts';
import { sessionList } from './shared/session-list.ts';

export const endSessions = defineCommand({
  name: 'endSessions',
  apiV1: true,
  help: 'ends logical sessions, with their cursors',
  fields: { endSessions: sessionList() },
  run(args, _request, { sessions }) {
    for (const session of args.endSessions) sessions.end(session);
    return new Map();
  },
});
