import { doc } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { any, boolean } from './fields.ts';

/** Nobody is logged in, which Compass reads as: everything is allowed. */
export const connectionStatus = defineCommand({
  name: 'connectionStatus',
  help: 'tells who is logged in on this connection',
  fields: { connectionStatus: any(), showPrivileges: boolean() },
  run: ({ showPrivileges }) =>
    doc({
      authInfo: {
        authenticatedUsers: [],
        authenticatedUserRoles: [],
        authenticatedUserPrivileges: showPrivileges ? [] : undefined,
      },
    }),
});
