import { CodedError } from '../base/index.ts';
import type { IndexChange } from '../engine/index.ts';
import { defineCommand } from './command.ts';
import {
  arrayOf,
  boolean,
  collectionName,
  document,
  either,
  integer,
  isDocument,
  type Parsed,
  required,
  string,
  struct,
  unsupported,
  withDefault,
} from './fields.ts';
import { cappedMax, cappedSize } from './shared/capped.ts';
import { checkClusteredExpiry, checkIndexExpiry } from './shared/clustered.ts';
import { checkUuid, collectionUuid } from './shared/collection-uuid.ts';
import { writable } from './shared/namespace.ts';
import { validationFields } from './shared/validation-options.ts';

const indexFields = {
  name: string(),
  keyPattern: document(),
  expireAfterSeconds: integer(),
  hidden: boolean(),
  unique: boolean(),
  prepareUnique: boolean(),
};

export const collMod = defineCommand({
  name: 'collMod',
  apiV1: true,
  writes: true,
  help: 'changes the options of a collection, of one of its indexes, or a view',
  fields: {
    collMod: collectionName(),
    index: struct(indexFields),
    ...validationFields,
    viewOn: string(),
    pipeline: arrayOf(required(document())),
    cappedSize: integer({ min: 1 }),
    cappedMax: integer(),
    changeStreamPreAndPostImages: unsupported(
      'change streams',
      (value) => isDocument(value) && value.get('enabled') === false,
    ),
    timeseries: unsupported('time series collections', () => false),
    expireAfterSeconds: either(string(), (value) => typeof value === 'string', integer()),
    dryRun: withDefault(boolean(), false),
    collectionUUID: collectionUuid(),
  },
  async run(args, request, { engine, env }) {
    const ns = writable(request.db, args.collMod);
    const { index, validator, validationLevel, validationAction, viewOn, pipeline } = args;
    checkUuid(engine, ns, args.collectionUUID);
    if (args.dryRun) checkDryRun(index);
    return engine.modifyCollection(ns, {
      options: {
        ...(validator && { validator }),
        ...(validationLevel && { validationLevel }),
        ...(validationAction && { validationAction }),
      },
      index: index && indexChange(index),
      view: viewOn === undefined && !pipeline ? undefined : { on: viewOn, pipeline },
      capped: cappedOptions(args.cappedSize, args.cappedMax),
      expireAfterSeconds: expiry(args.expireAfterSeconds, env.clock.now()),
      dryRun: args.dryRun,
    });
  },
});

/** Of all changes only one can be tried without being made. */
function checkDryRun(index: Parsed<typeof indexFields> | undefined): void {
  if (!index) throw new CodedError('InvalidOptions', 'dry run mode requires an valid index modification.');
  if (index.unique) return;
  throw new CodedError('InvalidOptions', 'dry run mode requires an index modification with unique: true.');
}

function indexChange(index: Parsed<typeof indexFields>): IndexChange {
  const { name, keyPattern, expireAfterSeconds, hidden, unique, prepareUnique } = index;
  const refuse = (message: string) => new CodedError('InvalidOptions', message);
  if (name !== undefined && keyPattern) throw refuse('Cannot specify both key pattern and name.');
  if (name === undefined && !keyPattern) throw refuse('Must specify either index name or key pattern.');
  if ([expireAfterSeconds, hidden, unique, prepareUnique].every((option) => option === undefined)) {
    throw refuse('no expireAfterSeconds, hidden, unique, or prepareUnique field');
  }
  if (expireAfterSeconds !== undefined) checkIndexExpiry(expireAfterSeconds);
  return { name, key: keyPattern, expireAfterSeconds, hidden, unique, prepareUnique };
}

function expiry(given: string | number | undefined, nowMs: number): number | 'off' | undefined {
  if (typeof given === 'number') checkClusteredExpiry(given, nowMs);
  if (given === undefined || given === 'off' || typeof given === 'number') return given;
  throw new CodedError(
    'InvalidOptions',
    `Invalid string value for the 'clusteredIndex::expireAfterSeconds' option. Got: '${given}'. Accepted value is 'off'`,
  );
}

function cappedOptions(size: number | undefined, max: number | undefined) {
  if (size === undefined && max === undefined) return undefined;
  return {
    size: size === undefined ? undefined : cappedSize(size),
    max: max === undefined ? undefined : cappedMax(max),
  };
}
