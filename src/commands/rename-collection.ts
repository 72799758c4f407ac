import { CodedError } from '../base/index.ts';
import { doc } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { boolean, required, string, withDefault } from './fields.ts';
import { splitNamespace, writable } from './shared/namespace.ts';

export const renameCollection = defineCommand({
  name: 'renameCollection',
  adminOnly: true,
  writes: true,
  help: 'gives a collection another name',
  fields: {
    renameCollection: required(string()),
    to: required(string()),
    dropTarget: withDefault(boolean(), false),
    stayTemp: boolean(),
  },
  async run(args, _request, { engine }) {
    const source = splitNamespace(args.renameCollection);
    const target = splitNamespace(args.to);
    const from = writable(source.db, source.coll);
    const to = writable(target.db, target.coll);
    if (args.renameCollection === args.to) {
      throw new CodedError('IllegalOperation', "Can't rename a collection to itself");
    }
    await engine.renameCollection(from, to, args.dropTarget);
    return doc({});
  },
});
