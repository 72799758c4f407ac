import { CodedError } from '../base/index.ts';
import { doc } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { any } from './fields.ts';

/** MongoDB refuses these too: a mongos cannot do without them. */
const KEPT: ReadonlySet<string> = new Set(['admin', 'config', 'local']);

export const dropDatabase = defineCommand({
  name: 'dropDatabase',
  apiV1: true,
  writes: true,
  help: 'removes a database with all its collections',
  fields: { dropDatabase: any() },
  async run(_args, { db }, { engine }) {
    if (KEPT.has(db)) throw new CodedError('IllegalOperation', `Dropping the '${db}' database is prohibited.`);
    const existed = engine.databases().includes(db);
    await engine.dropDatabase(db);
    return existed ? doc({ dropped: db }) : doc({});
  },
});
