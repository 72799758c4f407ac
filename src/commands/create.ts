import { CodedError } from '../base/index.ts';
import { Collator, type Doc, doc, type Value } from '../bson/index.ts';
import type { Namespace } from '../engine/index.ts';
import { defineCommand } from './command.ts';
import {
  arrayOf,
  boolean,
  collectionName,
  document,
  integer,
  isDocument,
  required,
  string,
  unsupported,
  withDefault,
} from './fields.ts';
import { cappedMax, cappedSize } from './shared/capped.ts';
import { checkClusteredExpiry, clusteredIndex, clusteredIndexOption } from './shared/clustered.ts';
import { readable, writable } from './shared/namespace.ts';
import { collation } from './shared/query.ts';
import { validationFields, validationOptions } from './shared/validation-options.ts';

/** An option that would change what later commands may do is refused, for a collection that only looks limited is worse. */
export const create = defineCommand({
  name: 'create',
  apiV1: true,
  writes: true,
  help: 'makes a collection',
  fields: {
    create: collectionName(),
    capped: withDefault(boolean(), false),
    size: integer({ min: 1 }),
    max: integer(),
    autoIndexId: boolean(),
    idIndex: document(),
    flags: integer(),
    storageEngine: document(),
    indexOptionDefaults: document(),
    ...validationFields,
    viewOn: string(),
    pipeline: arrayOf(required(document())),
    collation: collation(),
    timeseries: unsupported('time series collections', () => false),
    clusteredIndex: clusteredIndex(),
    expireAfterSeconds: integer(),
    changeStreamPreAndPostImages: unsupported(
      'change streams',
      (value) => isDocument(value) && value.get('enabled') === false,
    ),
    encryptedFields: unsupported('queryable encryption', () => false),
    temp: boolean(),
  },
  async run(args, request, { engine }) {
    const ns = writable(request.db, args.create);
    if (args.temp) throw new CodedError('InvalidOptions', "the 'temp' field is an invalid option");
    if (args.idIndex) checkIdIndex(args.idIndex.get('key'));
    if (args.pipeline && args.viewOn === undefined) {
      throw new CodedError('InvalidOptions', "'pipeline' requires 'viewOn' to also be specified");
    }
    if (args.viewOn !== undefined) {
      await engine.createCollection(ns, viewOptions(ns, args));
      return new Map();
    }
    const capped = cappedOptions(args);
    const clustered = clusteredOptions(args);
    const { storageEngine, indexOptionDefaults } = args;
    const collation = Collator.of(args.collation)?.toDoc();
    await engine.createCollection(
      ns,
      doc({ ...capped, storageEngine, indexOptionDefaults, ...validationOptions(args), collation, ...clustered }),
    );
    return new Map();
  },
});

function cappedOptions({ capped, size, max }: { capped: boolean; size: number | undefined; max: number | undefined }) {
  if (!capped) {
    if (size === undefined && max === undefined) return {};
    throw new CodedError(
      'InvalidOptions',
      "the 'capped' field needs to be true when either the 'size' or 'max' fields are present",
    );
  }
  if (size === undefined) throw new CodedError('InvalidOptions', "the 'size' field is required when 'capped' is true");
  return { capped, size: cappedSize(size), max: max === undefined ? undefined : cappedMax(max) };
}

type ClusteredIndex = ReturnType<ReturnType<typeof clusteredIndex>['absent']>;

function clusteredOptions(args: {
  clusteredIndex: ClusteredIndex;
  expireAfterSeconds: number | undefined;
  capped: boolean;
}) {
  const { clusteredIndex: index, expireAfterSeconds: seconds, capped } = args;
  if (!index) {
    if (seconds === undefined) return {};
    throw new CodedError(
      'InvalidOptions',
      "'expireAfterSeconds' is only supported on time-series collections or when the 'clusteredIndex' option is specified",
    );
  }
  const expireAfterSeconds = seconds === undefined ? undefined : checkClusteredExpiry(seconds);
  return { clusteredIndex: clusteredIndexOption(index, capped), expireAfterSeconds };
}

/** What only a collection can have. */
const NOT_ON_VIEW = [
  'size',
  'max',
  'idIndex',
  'autoIndexId',
  'storageEngine',
  'indexOptionDefaults',
  'clusteredIndex',
  'expireAfterSeconds',
  'validator',
  'validationLevel',
  'validationAction',
] as const;

function viewOptions(ns: Namespace, args: Readonly<Record<string, unknown>>): Doc {
  const { viewOn, pipeline, collation } = args;
  if (viewOn === '') throw new CodedError('BadValue', "'viewOn' cannot be empty.'");
  readable(ns.db, viewOn as string);
  const wrong = NOT_ON_VIEW.find((option) => args[option] !== undefined);
  if (wrong) throw new CodedError('InvalidOptions', `option not supported on a view: ${wrong}`);
  return doc({ viewOn, pipeline: pipeline ?? [], collation: Collator.of(collation as Doc | undefined)?.toDoc() });
}

function checkIdIndex(key: Value): void {
  if (isDocument(key) && key.size === 1 && key.has('_id')) return;
  throw new CodedError('BadValue', "The field 'key' for an _id index must be {_id: 1}, but got another key");
}
