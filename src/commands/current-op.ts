import { doc } from '../bson/index.ts';
import { compileFilter } from '../query/index.ts';
import { defineCommand } from './command.ts';
import { isGenericArgument } from './generic.ts';
import { queryContext } from './shared/query.ts';
import { showOperations } from './shared/show-operations.ts';

/** Options; every other field of the command is a condition on the operations shown. */
const OPTIONS: ReadonlySet<string> = new Set(['currentOp', '$all', '$ownOps', '$truncateOps']);
export const currentOp = defineCommand({
  name: 'currentOp',
  adminOnly: true,
  lenient: true,
  help: 'lists what runs now',
  fields: {},
  run(_args, request, context) {
    const conditions = [...request.body].filter(([name]) => !OPTIONS.has(name) && !isGenericArgument(name));
    const filter = compileFilter(new Map(conditions), queryContext(context));
    return doc({ inprog: showOperations(context).filter((each) => filter.matches(each)) });
  },
});
