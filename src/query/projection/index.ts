import type { Doc } from '../../bson/index.ts';
import { located } from '../error.ts';
import { carry } from '../metadata.ts';
import type { Filter, Metadata, QueryContext } from '../types.ts';
import { isArray, isDoc } from '../value.ts';
import { parseProjection } from './parse.ts';
import { applyTree } from './tree.ts';

export { compileAddFields, compileProject, compileReplaceRoot, compileUnset, type Transform } from './transform.ts';

/** A compiled projection of `find`. */
export interface Projection {
  /** `meta` is what `$meta` shows of the document. */
  apply(doc: Doc, meta?: Metadata): Doc;
}

/** Throws for a projection that cannot be, or that does more than to include or to exclude fields. */
export function checkPlainProjection(projection: Doc): void {
  parseProjection(projection, { context: { now: new Date(0), random: () => 0 }, find: false, plain: true });
}

/** Compiles a projection. `filter` is the query's own, which the positional `$` needs. */
export function compileProjection(
  projection: Doc,
  options: { readonly context: QueryContext; readonly filter?: Filter | undefined },
): Projection {
  const { filter } = options;
  const context = { ...options.context, metadata: filter?.metadata ?? new Set() };
  if (projection.size === 0) return { apply: (doc) => doc };
  const { tree, mode, positional } = parseProjection(projection, {
    context,
    find: true,
    query: filter?.source,
  });
  if (positional === undefined || !filter) return { apply: (doc, meta) => applyTree(tree, mode, carry(doc, meta)) };
  return {
    apply(doc, meta) {
      const index = filter.matches(doc) ? filter.positional(doc) : undefined;
      const projected = applyTree(tree, mode, carry(doc, meta));
      return pickElement(projected, positional.split('.'), index);
    },
  };
}

/** The document with the first array on the path reduced to the one element. */
function pickElement(doc: Doc, path: readonly string[], index: number | undefined): Doc {
  const [name, ...rest] = path;
  const value = doc.get(name!);
  if (isArray(value)) {
    if (index === undefined) {
      throw located(51246, "positional operator '.$' couldn't find a matching element in the array");
    }
    if (index >= value.length) {
      throw located(51247, "positional operator '.$' element mismatch");
    }
    return new Map(doc).set(name!, [value[index]]);
  }
  return isDoc(value) && rest.length > 0 ? new Map(doc).set(name!, pickElement(value, rest, index)) : doc;
}
