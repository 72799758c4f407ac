import { defineCommand } from './command.ts';
import { interrupt } from './shared/interrupt.ts';
import { sessionList } from './shared/session-list.ts';

export const killSessions = defineCommand({
  name: 'killSessions',
  help: 'interrupts what sessions do; all sessions when none is named',
  fields: { killSessions: sessionList() },
  run(args, request, context) {
    interrupt(args.killSessions.length > 0 ? args.killSessions : context.sessions.keys(), request, context);
    return new Map();
  },
});
