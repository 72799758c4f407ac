import { CodedError } from '../base/index.ts';
import type { Value } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { any } from './fields.ts';
import { isGenericArgument } from './generic.ts';
import { parameterFields, parameters, SETTERS } from './shared/parameters.ts';

export const setParameter = defineCommand({
  name: 'setParameter',
  adminOnly: true,
  lenient: true,
  help: 'changes a server parameter',
  fields: { setParameter: any() },
  run(_args, { body }, context) {
    const fields = parameterFields(body, 'setParameter', isGenericArgument);
    if (fields.length === 0) {
      throw new CodedError('InvalidOptions', 'no option found to set, use help:true to see options ');
    }
    const before = parameters(context);
    for (const [name, value] of fields) {
      const set = SETTERS.get(name);
      if (!set) {
        const why = before.has(name)
          ? `not allowed to change [${name}] at runtime`
          : `attempted to set unrecognized parameter [${name}]`;
        throw new CodedError('InvalidOptions', `${why}, use help:true to see options `);
      }
      const wrong = set(value, context);
      if (wrong) throw new CodedError('BadValue', `Invalid value for parameter ${name}: ${wrong}`);
    }
    return new Map<string, Value>([['was', before.get(fields[0]![0])]]);
  },
});
