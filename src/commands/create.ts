import { CodedError } from '../base/index.ts';
import { Collator, doc, type Value } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { boolean, collectionName, document, integer, isDocument, unsupported } from './fields.ts';
import { writable } from './shared/namespace.ts';
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
    capped: unsupported('capped collections'),
    size: integer(),
    max: integer(),
    autoIndexId: boolean(),
    idIndex: document(),
    flags: integer(),
    storageEngine: document(),
    indexOptionDefaults: document(),
    ...validationFields,
    viewOn: unsupported('views', () => false),
    pipeline: unsupported('views', (value) => Array.isArray(value) && value.length === 0),
    collation: collation(),
    timeseries: unsupported('time series collections', () => false),
    clusteredIndex: unsupported('clustered collections'),
    expireAfterSeconds: unsupported('expiring documents', () => false),
    changeStreamPreAndPostImages: unsupported(
      'change streams',
      (value) => isDocument(value) && value.get('enabled') === false,
    ),
    encryptedFields: unsupported('queryable encryption', () => false),
    temp: boolean(),
  },
  async run(args, request, { engine }) {
    const ns = writable(request.db, args.create);
    if (args.idIndex) checkIdIndex(args.idIndex.get('key'));
    const { storageEngine, indexOptionDefaults } = args;
    const collation = Collator.of(args.collation)?.toDoc();
    await engine.createCollection(
      ns,
      doc({ storageEngine, indexOptionDefaults, ...validationOptions(args), collation }),
    );
    return new Map();
  },
});

function checkIdIndex(key: Value): void {
  if (isDocument(key) && key.size === 1 && key.has('_id')) return;
  throw new CodedError('BadValue', "The field 'key' for an _id index must be {_id: 1}, but got another key");
}
