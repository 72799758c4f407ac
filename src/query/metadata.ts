import { CodedError } from '../base/index.ts';
import type { Doc, Value } from '../bson/index.ts';
import { located } from './error.ts';
import type { Metadata, Told } from './types.ts';
import { element } from './value.ts';

/** What `$meta` can ask for here, by the words of MongoDB's message where a query has it not. */
const KNOWN: ReadonlyMap<string, string> = new Map([
  ['textScore', 'text score'],
  ['geoNearDistance', '$geoNear distance'],
  ['geoNearPoint', '$geoNear point'],
] satisfies [keyof Metadata, string][]);

/** What only searches and time series of MongoDB's give: nothing, in any other query. */
const ABSENT: ReadonlySet<string> = new Set([
  ...['randVal', 'searchScore', 'searchHighlights', 'searchScoreDetails', 'vectorSearchScore', 'searchSequenceToken'],
  ...['timeseriesBucketMinTime', 'timeseriesBucketMaxTime'],
]);

/** What is there or not, whatever the query: it is nothing where it is not. */
const TOLD: ReadonlySet<string> = new Set(['recordId', 'indexKey', 'sortKey'] satisfies Told[]);

const SORTABLE: ReadonlySet<string> = new Set(['textScore', 'geoNearDistance'] satisfies (keyof Metadata)[]);

/** Beside the documents and not in them, for a document is written and compared by its fields alone. */
const carried = new WeakMap<Doc, Metadata>();

/** What is known of a document that was found by distance. */
export const MEASURED: ReadonlySet<keyof Metadata> = new Set(['geoNearDistance', 'geoNearPoint']);

/** Lets a document carry what is known of it. Undefined is nothing, and changes nothing. */
export function carry(doc: Doc, metadata: Metadata | undefined): Doc {
  if (metadata) carried.set(doc, metadata);
  return doc;
}

export function metadataOf(doc: Doc): Metadata | undefined {
  return carried.get(doc);
}

/** The metadata and more: an object of its own, for what a plan knows may be worked out when it is asked for. */
export function withMore(metadata: Metadata | undefined, more: Pick<Metadata, Told>): Metadata {
  const { textScore, geoNearDistance, geoNearPoint, recordId, indexKey, sortKey } = metadata ?? {};
  return { textScore, geoNearDistance, geoNearPoint, recordId, indexKey, sortKey, ...more };
}

/** The operand of `$meta`; undefined for what is never there. Throws for one that the query does not have. */
export function metaKey(
  operand: Value,
  available: ReadonlySet<keyof Metadata> | undefined,
): keyof Metadata | undefined {
  if (typeof operand !== 'string') throw located(17307, '$meta only supports string arguments');
  if (ABSENT.has(operand)) return undefined;
  if (TOLD.has(operand)) return operand as Told;
  if (!KNOWN.has(operand)) throw located(17308, `Unsupported argument to $meta: ${operand}`);
  requireKey(operand as keyof Metadata, available);
  return operand as keyof Metadata;
}

/** The key of a sort by `{$meta: ...}`. */
export function metaSortKey(specification: Doc): keyof Metadata {
  const [name, operand] = specification.entries().next().value ?? [];
  if (name !== '$meta') throw located(17312, '$meta is the only expression supported by $sort right now');
  if (specification.size > 1) {
    throw new CodedError('FailedToParse', 'Cannot have additional keys in a $meta sort specification');
  }
  if (typeof operand === 'string' && SORTABLE.has(operand)) return operand as keyof Metadata;
  throw located(31138, `Illegal $meta sort: ${element(name, operand)}`);
}

/** Throws where a sort goes by what a query does not have. */
export function checkMetaSort(sort: Doc, available: ReadonlySet<keyof Metadata> | undefined): void {
  for (const direction of sort.values()) if (direction instanceof Map) requireKey(metaSortKey(direction), available);
}

function requireKey(key: keyof Metadata, available: ReadonlySet<keyof Metadata> | undefined): void {
  if (available?.has(key)) return;
  throw located(40218, `query requires ${KNOWN.get(key)} metadata, but it is not available`);
}

/** What `$meta` asks for, anywhere in a projection or a pipeline, of what is told only where somebody asks. */
export function askedOf(spec: Value): ReadonlySet<Told> {
  const asked = new Set<Told>();
  const look = (value: Value): void => {
    if (Array.isArray(value)) for (const each of value) look(each);
    if (!(value instanceof Map)) return;
    for (const [name, operand] of value) {
      if (name === '$meta' && typeof operand === 'string' && TOLD.has(operand)) asked.add(operand as Told);
      else if (name !== '$literal') look(operand);
    }
  };
  look(spec);
  return asked;
}
