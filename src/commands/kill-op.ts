import { CodedError } from '../base/index.ts';
import { doc } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { any, toInteger } from './fields.ts';

/** As in MongoDB, naming an operation that has ended is no error. */
export const killOp = defineCommand({
  name: 'killOp',
  adminOnly: true,
  lenient: true,
  help: 'interrupts what runs',
  fields: { op: any() },
  run({ op }, _request, { operations }) {
    if (op === undefined) throw new CodedError('NoSuchKey', 'Missing expected field "op"');
    const id = toInteger(op);
    if (id === undefined) throw new CodedError('TypeMismatch', 'Expected field "op" to have numeric type');
    operations.kill(id);
    return doc({ info: 'attempting to kill op' });
  },
});
