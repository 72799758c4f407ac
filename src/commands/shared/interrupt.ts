import type { SessionKey } from '../sessions.ts';
import type { Context, Request } from '../types.ts';

/** Ends what sessions do and hold, not the sessions themselves. The request that asks for it goes on. */
export function interrupt(sessions: Iterable<SessionKey>, request: Request, context: Context): void {
  for (const session of sessions) {
    context.operations.killSession(session, request.operation);
    context.cursors.killSession(session);
  }
}
