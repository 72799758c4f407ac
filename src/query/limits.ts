const DEFAULT_BYTES = 100 * 1024 * 1024;

/** What parts of a pipeline may hold in memory, in bytes of BSON, each as a server parameter of MongoDB sets it. */
export const MEMORY_PARAMETERS = {
  /** `$sort`, and the sort of a query. */
  sort: 'internalQueryMaxBlockingSortMemoryUsageBytes',
  group: 'internalDocumentSourceGroupMaxMemoryBytes',
  bucketAuto: 'internalDocumentSourceBucketAutoMaxMemoryBytes',
  setWindowFields: 'internalDocumentSourceSetWindowFieldsMaxMemoryBytes',
  graphLookup: 'internalDocumentSourceGraphLookupMaxMemoryBytes',
  /** The document that `$facet` makes. */
  facet: 'internalQueryFacetMaxOutputDocSizeBytes',
  /** What `$lookup` joins to one document. */
  lookup: 'internalLookupStageIntermediateDocumentMaxSizeBytes',
  /** One `$push` of one group. */
  push: 'internalQueryMaxPushBytes',
  addToSet: 'internalQueryMaxAddToSetBytes',
  /** `$firstN`, `$minN`, `$topN` and their like. */
  topN: 'internalQueryTopNAccumulatorBytes',
} as const;

export type Limited = keyof typeof MEMORY_PARAMETERS;
export type MemoryLimits = Record<Limited, number>;

export function defaultLimits(): MemoryLimits {
  return Object.fromEntries(Object.keys(MEMORY_PARAMETERS).map((name) => [name, DEFAULT_BYTES])) as MemoryLimits;
}

/** Where nobody has set them. */
export const DEFAULT_LIMITS: Readonly<MemoryLimits> = defaultLimits();

/** What one of them is where a context holds. */
export function limitOf(context: { readonly limits?: Readonly<MemoryLimits> | undefined }, limited: Limited): number {
  return (context.limits ?? DEFAULT_LIMITS)[limited];
}
