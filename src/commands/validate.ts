import { CodedError } from '../base/index.ts';
import { Binary, Collator, type Doc, decode, doc, validate as validateBson } from '../bson/index.ts';
import { type CollectionInfo, type DocCursor, type IndexFault, indexesOf } from '../engine/index.ts';
import { compileFilter } from '../query/index.ts';
import { defineCommand } from './command.ts';
import { boolean, collectionName, isDocument } from './fields.ts';
import { readable, refuseView, showNamespace } from './shared/namespace.ts';
import { queryContext } from './shared/query.ts';
import type { Context } from './types.ts';

const BATCH_DOCS = 1000;
const BATCH_BYTES = 16 * 1024 * 1024;

/**
 * Reads every document, checks that it is sound BSON, and compares the indexes with it. What Discord holds beside the
 * documents is the log's to check.
 */
export const validate = defineCommand({
  name: 'validate',
  lenient: true,
  help: 'reads a collection and checks its documents',
  fields: {
    validate: collectionName(),
    full: boolean(),
    background: boolean(),
    repair: boolean(),
    metadata: boolean(),
    checkBSONConformance: boolean(),
  },
  async run(args, request, context) {
    if (args.background && args.full) {
      throw new CodedError(
        'InvalidOptions',
        'Running the validate command with both { background: true } and { full: true } is not supported.',
      );
    }
    const ns = readable(request.db, args.validate);
    refuseView(context.engine, ns);
    const info = context.engine.collection(ns);
    if (!info) {
      throw new CodedError('NamespaceNotFound', `Collection '${showNamespace(ns)}' does not exist to validate.`);
    }
    const everything = { filter: new Map(), skip: 0, limit: 0, read: 'local', context: queryContext(context) } as const;
    const source = await context.engine.find(ns, everything);
    const { nrecords, errors, nonCompliant } = await check(source, compliance(info, context), request.signal);
    const { missing, extra } = await context.engine.checkIndexes(ns);
    const indexes = indexesOf(info);
    const { indexKeys } = await context.engine.stats(ns);
    const wrong = new Set([...missing, ...extra].map(({ index }) => index));
    const warnings = [
      ...(missing.length > 0 ? [`Detected ${missing.length} missing index entries.`] : []),
      ...(extra.length > 0 ? [`Detected ${extra.length} extra index entries.`] : []),
      ...(nonCompliant > 0 ? [NON_COMPLIANT] : []),
    ];
    return doc({
      ns: showNamespace(ns),
      uuid: new Binary(info.uuid, Binary.SUBTYPE_UUID),
      nInvalidDocuments: errors.length,
      nNonCompliantDocuments: nonCompliant,
      nrecords,
      nIndexes: indexes.length,
      keysPerIndex: doc(Object.fromEntries(indexKeys)),
      indexDetails: doc(Object.fromEntries(indexes.map(({ name }) => [name, { valid: !wrong.has(name) }]))),
      valid: errors.length === 0 && wrong.size === 0,
      repaired: false,
      warnings,
      errors: [...errors, ...[...wrong].map((name) => `Index with name '${name}' has inconsistencies.`)],
      extraIndexEntries: extra.slice(0, MAX_FAULTS).map(shownFault),
      missingIndexEntries: missing.slice(0, MAX_FAULTS).map(shownFault),
      corruptRecords: [],
    });
  },
});

/** Faults that are listed at most: MongoDB lists 1 MB of them. */
const MAX_FAULTS = 10_000;

function shownFault({ index, recordId, id, key }: IndexFault): Doc {
  return doc({ indexName: index, recordId: BigInt(recordId), idKey: key && doc({ _id: id }), indexKey: key });
}

const NON_COMPLIANT = "Detected one or more documents not compliant with the collection's schema.";

/** Whether a document pleases the collection's validator. */
function compliance({ options }: CollectionInfo, context: Context): (bytes: Uint8Array) => boolean {
  const validator = options.get('validator');
  if (!isDocument(validator) || options.get('validationLevel') === 'off') return () => true;
  const own = options.get('collation');
  const collator = Collator.of(isDocument(own) ? own : undefined);
  const filter = compileFilter(validator, { ...queryContext(context), collator });
  return (bytes) => filter.matches(decode(bytes));
}

interface Checked {
  readonly nrecords: number;
  readonly errors: string[];
  readonly nonCompliant: number;
}

async function check(
  source: DocCursor,
  complies: (bytes: Uint8Array) => boolean,
  signal: AbortSignal,
): Promise<Checked> {
  const errors: string[] = [];
  let nonCompliant = 0;
  let nrecords = 0;
  try {
    while (!source.exhausted) {
      const batch = await source.next(BATCH_DOCS, BATCH_BYTES, signal);
      signal.throwIfAborted();
      nrecords += batch.length;
      for (const bytes of batch) {
        try {
          validateBson(bytes);
          if (!complies(bytes)) nonCompliant++;
        } catch (error) {
          if (!(error instanceof CodedError)) throw error;
          errors.push(error.message);
        }
      }
    }
  } finally {
    source.close();
  }
  return { nrecords, errors, nonCompliant };
}
