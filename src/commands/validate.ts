import { CodedError } from '../base/index.ts';
import { Binary, Collator, decode, doc, validate as validateBson } from '../bson/index.ts';
import type { CollectionInfo, DocCursor } from '../engine/index.ts';
import { compileFilter } from '../query/index.ts';
import { defineCommand } from './command.ts';
import { boolean, collectionName, isDocument } from './fields.ts';
import { readable, refuseView, showNamespace } from './shared/namespace.ts';
import { queryContext } from './shared/query.ts';
import type { Context } from './types.ts';

const BATCH_DOCS = 1000;
const BATCH_BYTES = 16 * 1024 * 1024;

/** Reads every document and checks that it is sound BSON. What Discord holds beside the documents is the log's to check. */
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
    const ns = readable(request.db, args.validate);
    refuseView(context.engine, ns);
    const info = context.engine.collection(ns);
    if (!info) {
      throw new CodedError('NamespaceNotFound', `Collection '${showNamespace(ns)}' does not exist to validate.`);
    }
    const everything = { filter: new Map(), skip: 0, limit: 0, read: 'local', context: queryContext(context) } as const;
    const source = await context.engine.find(ns, everything);
    const { nrecords, errors, nonCompliant } = await check(source, compliance(info, context), request.signal);
    const { indexKeys } = await context.engine.stats(ns);
    return doc({
      ns: showNamespace(ns),
      uuid: new Binary(info.uuid, Binary.SUBTYPE_UUID),
      nInvalidDocuments: errors.length,
      nNonCompliantDocuments: nonCompliant,
      nrecords,
      nIndexes: info.indexes.length,
      valid: errors.length === 0,
      repaired: false,
      keysPerIndex: doc(Object.fromEntries(indexKeys)),
      warnings: nonCompliant > 0 ? [NON_COMPLIANT] : [],
      errors,
    });
  },
});

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
