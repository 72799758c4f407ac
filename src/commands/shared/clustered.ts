import { CodedError, located } from '../../base/index.ts';
import { type Doc, doc, showDoc } from '../../bson/index.ts';
import { boolean, document, integer, type Parsed, required, string, struct, toNumber, withDefault } from '../fields.ts';

const indexFields = {
  v: withDefault(integer(), 2),
  key: required(document()),
  name: string(),
  unique: withDefault(boolean(), false),
};

export const clusteredIndex = () => struct(indexFields);

type ClusteredIndex = Parsed<typeof indexFields>;

/** Throws for the options of create that a clustered collection cannot have beside its index. */
export function checkClusteredOptions(args: {
  readonly capped: boolean;
  readonly size: number | undefined;
  readonly max: number | undefined;
}): void {
  for (const [option, code] of [['size', 6049200] as const, ['max', 6049204] as const]) {
    if (args[option] === undefined) continue;
    throw located(
      code,
      `'${option}' field for capped collections is not allowed on clustered collections. Did you mean 'capped: true' with 'expireAfterSeconds'?`,
    );
  }
  if (!args.capped) return;
  throw located(6127800, "Clustered capped collection only available with 'enableTestCommands' server parameter");
}

/** The index as it is kept and listed; `nowMs` is what the time after which its documents expire may not exceed. */
export function clusteredIndexOption(
  index: ClusteredIndex,
  expireAfterSeconds: number | undefined,
  nowMs: number,
): Doc {
  const { v, key, name = '_id_', unique } = index;
  if (!unique) throw located(5979700, 'The clusteredIndex option requires unique: true to be specified');
  if (key.size !== 1 || toNumber(key.get('_id')) !== 1) {
    throw new CodedError(
      'InvalidIndexSpecificationOption',
      'The clusteredIndex option is only supported for key: {_id: 1}',
    );
  }
  if (expireAfterSeconds !== undefined) checkClusteredExpiry(expireAfterSeconds, nowMs);
  if (v !== 2) {
    const shown = showDoc(doc({ v, key, name, unique }));
    throw located(5979704, `Invalid clusteredIndex specification ${shown}; cannot create a clusteredIndex with v=${v}`);
  }
  return doc({ v, key: { _id: 1 }, name, unique });
}

/** Throws for a time after which the documents of a clustered collection cannot expire. */
export function checkClusteredExpiry(seconds: number, nowMs: number): void {
  checkExpiry(seconds, nowMs / 1000);
}

/** Throws for a time after which the documents of an index cannot expire. */
export function checkIndexExpiry(seconds: number): void {
  checkExpiry(seconds, 0x7fff_ffff);
}

function checkExpiry(seconds: number, limit: number): void {
  const invalid = (what: string) => new CodedError('InvalidOptions', `TTL index 'expireAfterSeconds' option ${what}`);
  if (seconds < 0) throw invalid('cannot be less than 0');
  if (seconds > limit) throw invalid('must be within an acceptable range, try a lower number');
}
