import { CodedError } from '../base/index.ts';
import { doc } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { any, boolean, integer, withDefault } from './fields.ts';

/** Answers once Discord holds everything that was written before, also what clients did not wait for. */
export const fsync = defineCommand({
  name: 'fsync',
  adminOnly: true,
  help: 'waits until everything written is durable',
  fields: { fsync: any(), lock: withDefault(boolean(), false), fsyncLockAcquisitionTimeoutMillis: integer() },
  async run(args, _request, { engine }) {
    if (args.lock) throw new CodedError('NotImplemented', 'DiscoDB cannot be locked against writes');
    return doc({ numFiles: await engine.flush() });
  },
});
