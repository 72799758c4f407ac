import { MAX_DOCUMENT_BYTES } from '../bson/index.ts';

const DEFAULT_BYTES = 100 * 1024 * 1024;
/** A document within the server: MongoDB's `BSONObjMaxInternalSize`. */
const MAX_INTERNAL_BYTES = MAX_DOCUMENT_BYTES + 16 * 1024;

/** A server parameter of MongoDB's that limits a part of a pipeline, with its type and range there (`query_knobs.idl`). */
export interface LimitParameter {
  readonly name: string;
  readonly type: 'int' | 'long';
  /** The least that it can be, or what it must be above. */
  readonly range: { readonly least: number } | { readonly above: number };
  /** Bytes of BSON, where the name does not say otherwise. */
  readonly initial: number;
}

const long = (name: string): LimitParameter => ({ name, type: 'long', range: { above: 0 }, initial: DEFAULT_BYTES });
const int = (name: string): LimitParameter => ({ ...long(name), type: 'int' });

/** What parts of a pipeline may hold in memory or make. */
export const LIMIT_PARAMETERS = {
  /** `$sort`, and the sort of a query. */
  sort: { ...long('internalQueryMaxBlockingSortMemoryUsageBytes'), range: { least: 0 } },
  group: long('internalDocumentSourceGroupMaxMemoryBytes'),
  bucketAuto: long('internalDocumentSourceBucketAutoMaxMemoryBytes'),
  setWindowFields: long('internalDocumentSourceSetWindowFieldsMaxMemoryBytes'),
  graphLookup: long('internalDocumentSourceGraphLookupMaxMemoryBytes'),
  /** The partitions of a `$densify`. */
  densify: int('internalDocumentSourceDensifyMaxMemoryBytes'),
  /** The documents that a `$densify` makes. */
  densified: { ...int('internalQueryMaxAllowedDensifyDocs'), initial: 500_000 },
  /** What `$facet` reads before its pipelines go on. */
  facetBuffer: int('internalQueryFacetBufferSizeBytes'),
  /** The document that `$facet` makes. */
  facet: long('internalQueryFacetMaxOutputDocSizeBytes'),
  /** What `$lookup` joins to one document. */
  lookup: { ...long('internalLookupStageIntermediateDocumentMaxSizeBytes'), range: { least: MAX_INTERNAL_BYTES } },
  /** One `$push` of one group. */
  push: int('internalQueryMaxPushBytes'),
  addToSet: long('internalQueryMaxAddToSetBytes'),
  /** `$firstN`, `$minN`, `$topN` and their like. */
  topN: int('internalQueryTopNAccumulatorBytes'),
} as const satisfies Record<string, LimitParameter>;

export type Limited = keyof typeof LIMIT_PARAMETERS;
export type Limits = Record<Limited, number>;

export function defaultLimits(): Limits {
  return Object.fromEntries(Object.entries(LIMIT_PARAMETERS).map(([name, { initial }]) => [name, initial])) as Limits;
}

/** Where nobody has set them. */
export const DEFAULT_LIMITS: Readonly<Limits> = defaultLimits();

/** What one of them is where a context holds. */
export function limitOf(context: { readonly limits?: Readonly<Limits> | undefined }, limited: Limited): number {
  return (context.limits ?? DEFAULT_LIMITS)[limited];
}
