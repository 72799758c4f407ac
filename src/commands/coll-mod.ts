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
import { checkClusteredExpiry } from './shared/clustered.ts';
import { writable } from './shared/namespace.ts';
import { validationFields } from './shared/validation-options.ts';

const MAX_INT32 = 0x7fff_ffff;

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
  },
  async run(args, request, { engine }) {
    const ns = writable(request.db, args.collMod);
    const { index, validator, validationLevel, validationAction, viewOn, pipeline } = args;
    return engine.modifyCollection(ns, {
      options: {
        ...(validator && { validator }),
        ...(validationLevel && { validationLevel }),
        ...(validationAction && { validationAction }),
      },
      index: index && indexChange(index),
      view: viewOn === undefined && !pipeline ? undefined : { on: viewOn, pipeline },
      capped: cappedOptions(args.cappedSize, args.cappedMax),
      expireAfterSeconds: expiry(args.expireAfterSeconds),
      dryRun: args.dryRun,
    });
  },
});

function indexChange(index: Parsed<typeof indexFields>): IndexChange {
  const { name, keyPattern, expireAfterSeconds, hidden, unique, prepareUnique } = index;
  const refuse = (message: string) => new CodedError('InvalidOptions', message);
  if (name !== undefined && keyPattern) throw refuse('Cannot specify both key pattern and name.');
  if (name === undefined && !keyPattern) throw refuse('Must specify either index name or key pattern.');
  if ([expireAfterSeconds, hidden, unique, prepareUnique].every((option) => option === undefined)) {
    throw refuse('no expireAfterSeconds, hidden, unique, or prepareUnique field');
  }
  if (expireAfterSeconds !== undefined && expireAfterSeconds < 0) {
    throw refuse("TTL index 'expireAfterSeconds' option cannot be less than 0");
  }
  if (expireAfterSeconds !== undefined && expireAfterSeconds > MAX_INT32) {
    throw refuse("TTL index 'expireAfterSeconds' must be within the range of a 32-bit integer");
  }
  if (unique === false) throw new CodedError('BadValue', 'Cannot make index non-unique');
  return { name, key: keyPattern, expireAfterSeconds, hidden, unique, prepareUnique };
}

function expiry(given: string | number | undefined): number | 'off' | undefined {
  if (typeof given === 'number') return checkClusteredExpiry(given);
  if (given === undefined || given === 'off') return given;
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
