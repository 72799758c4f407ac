import { uuidBytes } from '../base/index.ts';
import { Binary, doc } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { any } from './fields.ts';
import { SESSION_TIMEOUT_MINUTES, sessionKey } from './sessions.ts';

export const startSession = defineCommand({
  name: 'startSession',
  help: 'begins a logical session',
  fields: { startSession: any() },
  run(_args, _request, { env, sessions }) {
    const id = uuidBytes(env.random);
    sessions.touch(sessionKey(id));
    return doc({ id: { id: new Binary(id, Binary.SUBTYPE_UUID) }, timeoutMinutes: SESSION_TIMEOUT_MINUTES });
  },
});
