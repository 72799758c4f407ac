import { doc } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { any, boolean } from './fields.ts';

export const getDefaultRWConcern = defineCommand({
  name: 'getDefaultRWConcern',
  adminOnly: true,
  help: 'tells the concerns that count where a client names none',
  fields: { getDefaultRWConcern: any(), inMemory: boolean() },
  run: (_args, _request, { env }) =>
    doc({
      defaultReadConcern: { level: 'local' },
      defaultWriteConcern: { w: 'majority', wtimeout: 0 },
      defaultWriteConcernSource: 'implicit',
      defaultReadConcernSource: 'implicit',
      localUpdateWallClockTime: new Date(env.clock.now()),
    }),
});
