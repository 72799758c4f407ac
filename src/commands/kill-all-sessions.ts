import { defineCommand } from './command.ts';
import { arrayOf, document, required } from './fields.ts';
import { interrupt } from './shared/interrupt.ts';

/** Without authentication every session belongs to nobody, so naming users matches none. */
export const killAllSessions = defineCommand({
  name: 'killAllSessions',
  help: 'interrupts what all sessions do, or those of the users named',
  fields: { killAllSessions: required(arrayOf(required(document()))) },
  run(args, request, context) {
    if (args.killAllSessions.length === 0) interrupt(context.sessions.keys(), request, context);
    return new Map();
  },
});
