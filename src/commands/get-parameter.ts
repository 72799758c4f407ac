import { CodedError } from '../base/index.ts';
import type { Doc } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { any, isDocument } from './fields.ts';
import { isGenericArgument } from './generic.ts';
import { parameterFields, parameters } from './shared/parameters.ts';

export const getParameter = defineCommand({
  name: 'getParameter',
  adminOnly: true,
  lenient: true,
  help: 'reads server parameters: all with "*", or those named as fields',
  fields: { getParameter: any() },
  run({ getParameter: which }, { body }, context) {
    const all = parameters(context);
    if (which === '*' || (isDocument(which) && which.get('allParameters') === true)) return all;
    const found: Doc = new Map();
    for (const [name] of parameterFields(body, 'getParameter', isGenericArgument)) {
      if (all.has(name)) found.set(name, all.get(name));
    }
    if (found.size === 0) throw new CodedError('InvalidOptions', 'no option found to get');
    return found;
  },
});
