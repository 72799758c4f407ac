import { doc } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { any, boolean } from './fields.ts';

export const rolesInfo = defineCommand({
  name: 'rolesInfo',
  help: 'lists roles: there are none',
  fields: {
    rolesInfo: any(),
    showPrivileges: any(),
    showBuiltinRoles: boolean(),
    showAuthenticationRestrictions: boolean(),
  },
  run: () => doc({ roles: [] }),
});
