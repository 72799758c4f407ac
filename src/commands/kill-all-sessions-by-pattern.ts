import { defineCommand } from './command.ts';
import { any, required, struct, structs } from './fields.ts';
import { lsidFields } from './generic.ts';
import { sessionKey } from './sessions.ts';
import { interrupt } from './shared/interrupt.ts';

export const killAllSessionsByPattern = defineCommand({
  name: 'killAllSessionsByPattern',
  help: 'interrupts what sessions do that match a pattern; all when there is none',
  fields: {
    killAllSessionsByPattern: required(structs({ lsid: struct(lsidFields), uid: any(), users: any(), roles: any() })),
  },
  run(args, request, context) {
    const patterns = args.killAllSessionsByPattern;
    if (patterns.length === 0) interrupt(context.sessions.keys(), request, context);
    for (const { lsid } of patterns) if (lsid?.id) interrupt([sessionKey(lsid.id)], request, context);
    return new Map();
  },
});
