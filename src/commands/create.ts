import { CodedError, located } from '../base/index.ts';
import { Collator, type Doc, doc, equal, showDoc } from '../bson/index.ts';
import { checkIdIndexSpec, type Namespace } from '../engine/index.ts';
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
import { checkClusteredOptions, clusteredIndex, clusteredIndexOption } from './shared/clustered.ts';
import { readable, showNamespace, writable } from './shared/namespace.ts';
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
  unstable: ['capped', 'size', 'max', 'autoIndexId', 'storageEngine', 'indexOptionDefaults'],
  async run(args, request, { engine, env }) {
    const ns = writable(request.db, args.create);
    if (args.clusteredIndex) checkClusteredOptions(args);
    // A mongos looks for it before a shard does.
    else if (args.capped && args.size === undefined) throw invalid('specify size:<n> when capped is true');
    if (args.temp) throw invalid("the 'temp' field is an invalid option");
    if (!args.capped && (args.size ?? args.max) !== undefined) {
      throw invalid("the 'capped' field needs to be true when either the 'size' or 'max' fields are present");
    }
    if (args.pipeline && args.viewOn === undefined) {
      throw invalid("'pipeline' requires 'viewOn' to also be specified");
    }
    if (args.expireAfterSeconds !== undefined && !args.clusteredIndex) {
      throw invalid(
        "'expireAfterSeconds' is only supported on time-series collections or when the 'clusteredIndex' option is specified",
      );
    }
    const collation = Collator.of(args.collation)?.toDoc();
    if (args.idIndex) checkIdIndex(args.idIndex, args.viewOn, collation);
    if (args.viewOn !== undefined) {
      await engine.createCollection(ns, viewOptions(ns, args));
      return new Map();
    }
    const clustered = clusteredOptions(args, env.clock.now());
    if (args.autoIndexId === false) {
      throw located(
        50001,
        `autoIndexId:false is not allowed for collection ${showNamespace(ns)} because it can be replicated`,
      );
    }
    const { storageEngine, indexOptionDefaults } = args;
    await engine.createCollection(
      ns,
      doc({
        ...cappedOptions(args),
        storageEngine,
        indexOptionDefaults,
        ...validationOptions(args),
        collation,
        ...clustered,
      }),
    );
    return new Map();
  },
});

function invalid(message: string): CodedError {
  return new CodedError('InvalidOptions', message);
}

function cappedOptions({ capped, size, max }: { capped: boolean; size: number | undefined; max: number | undefined }) {
  if (!capped || size === undefined) return {};
  return { capped, size: cappedSize(size), max: max === undefined ? undefined : cappedMax(max) };
}

type ClusteredIndex = ReturnType<ReturnType<typeof clusteredIndex>['absent']>;

function clusteredOptions(
  args: {
    clusteredIndex: ClusteredIndex;
    expireAfterSeconds: number | undefined;
    idIndex: Doc | undefined;
    autoIndexId: boolean | undefined;
  },
  nowMs: number,
) {
  const { clusteredIndex: index, expireAfterSeconds } = args;
  if (!index) return {};
  if (args.idIndex && args.idIndex.size > 0) {
    throw invalid("The 'clusteredIndex' option is not supported with the 'idIndex' option");
  }
  if (args.autoIndexId === false) {
    throw located(6026501, "The 'clusteredIndex' option does not support {autoIndexId: false}");
  }
  return { clusteredIndex: clusteredIndexOption(index, expireAfterSeconds, nowMs), expireAfterSeconds };
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

function checkIdIndex(spec: Doc, viewOn: string | undefined, collation: Doc | undefined): void {
  if (viewOn !== undefined) throw invalid(`'idIndex' is not allowed with 'viewOn': ${showDoc(spec)}`);
  checkIdIndexSpec(spec);
  const given = spec.get('collation');
  const own = isDocument(given) ? Collator.of(given)?.toDoc() : collation;
  if (!equal(own, collation)) {
    throw new CodedError('BadValue', "'idIndex' must have the same collation as the collection.");
  }
}
