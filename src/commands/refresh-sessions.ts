import { defineCommand } from './command.ts';
import { sessionList } from './shared/session-list.ts';

export const refreshSessions = defineCommand({
  name: 'refreshSessions',
  apiV1: true,
  help: 'keeps logical sessions from expiring',
  fields: { refreshSessions: sessionList() },
  run(args, _request, { sessions }) {
    for (const session of args.refreshSessions) sessions.touch(session);
    return new Map();
  },
});
