import { doc } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { any, boolean, document } from './fields.ts';

export const usersInfo = defineCommand({
  name: 'usersInfo',
  help: 'lists users: there are none',
  fields: {
    usersInfo: any(),
    showCredentials: boolean(),
    showCustomData: boolean(),
    showPrivileges: boolean(),
    showAuthenticationRestrictions: boolean(),
    filter: document(),
  },
  run: () => doc({ users: [] }),
});
