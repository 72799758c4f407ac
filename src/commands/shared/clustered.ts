import { CodedError, located } from '../../base/index.ts';
import { type Doc, doc } from '../../bson/index.ts';
import { boolean, document, integer, type Parsed, required, string, struct, toNumber, withDefault } from '../fields.ts';

const MAX_INT32 = 0x7fff_ffff;

const indexFields = {
  v: integer(),
  key: required(document()),
  name: string(),
  unique: withDefault(boolean(), false),
};

export const clusteredIndex = () => struct(indexFields);

/** The index as it is kept and listed. */
export function clusteredIndexOption(index: Parsed<typeof indexFields>, capped: boolean): Doc {
  const { v = 2, key, name = '_id_', unique } = index;
  if (capped) {
    throw located(6127800, "Clustered capped collection only available with 'enableTestCommands' server parameter");
  }
  if (key.size !== 1 || toNumber(key.get('_id')) !== 1) {
    throw located(5979701, "The 'clusteredIndex' option supports the key {_id: 1} only");
  }
  if (!unique) throw located(5979700, "The 'clusteredIndex' option requires unique: true to be specified");
  if (v !== 2) throw located(5979704, "The 'clusteredIndex' option requires v: 2");
  return doc({ v, key: { _id: 1 }, name, unique });
}

/** Throws for a time after which the documents of a clustered collection cannot expire. */
export function checkClusteredExpiry(seconds: number): number {
  if (seconds < 0) {
    throw new CodedError('InvalidOptions', "TTL index 'expireAfterSeconds' option cannot be less than 0");
  }
  if (seconds > MAX_INT32) {
    throw new CodedError(
      'InvalidOptions',
      "TTL index 'expireAfterSeconds' must be within the range of a 32-bit integer",
    );
  }
  return seconds;
}
