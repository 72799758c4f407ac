import { type Doc, doc } from '../bson/index.ts';
import type { Engine } from '../engine/index.ts';
import { compileFilter } from '../query/index.ts';
import { defineCommand } from './command.ts';
import { any, boolean, document, strictBoolean, withDefault } from './fields.ts';
import { queryContext } from './shared/query.ts';

const MIB = 1024 * 1024;

export const listDatabases = defineCommand({
  name: 'listDatabases',
  adminOnly: true,
  apiV1: true,
  help: 'lists the databases',
  fields: {
    listDatabases: any(),
    filter: document(),
    nameOnly: withDefault(boolean(), false),
    authorizedDatabases: strictBoolean(),
  },
  run(args, _request, context) {
    const { engine } = context;
    const filter = compileFilter(args.filter ?? new Map(), queryContext(context));
    const names = engine.databases();
    const all = names.map((name) => (args.nameOnly ? doc({ name }) : withSize(name, engine)));
    const databases = all.filter((each) => filter.matches(each));
    if (args.nameOnly) return doc({ databases });
    const totalSize = databases.reduce((sum, each) => sum + Number(each.get('sizeOnDisk')), 0);
    return doc({ databases, totalSize: BigInt(totalSize), totalSizeMb: BigInt(Math.floor(totalSize / MIB)) });
  },
});

/** As far as the size is known: to list databases costs no request. One without collections is not there to be listed. */
function withSize(name: string, engine: Engine): Doc {
  const size = engine.collections(name).reduce((sum, { ns }) => sum + engine.loadedSize(ns), 0);
  return doc({ name, sizeOnDisk: BigInt(size), empty: false });
}
