import { CodedError } from '../base/index.ts';
import { Binary, doc } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { type Field, required, strictBoolean, string, withDefault, wrongType } from './fields.ts';
import { splitNamespace, writable } from './shared/namespace.ts';

/** Shards give the UUID of the collection that is to go, instead of true; clients have no use for it. */
const dropTarget = (): Field<boolean | undefined> => ({
  absent: () => undefined,
  parse(value, path) {
    if (typeof value === 'boolean') return value;
    if (value instanceof Binary) throw new CodedError('NotImplemented', 'DiscoDB does not support dropTarget by UUID');
    throw wrongType(value, path, ['bool', 'binData']);
  },
});

export const renameCollection = defineCommand({
  name: 'renameCollection',
  adminOnly: true,
  writes: true,
  help: 'gives a collection another name',
  fields: {
    renameCollection: required(string()),
    to: required(string()),
    dropTarget: withDefault(dropTarget(), false),
    stayTemp: strictBoolean(),
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
