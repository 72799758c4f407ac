import type { Doc, KeptDoc } from '../../bson/index.ts';
import {
  type GeoOperator,
  type GeoRegion,
  nearestPlace,
  parseNear,
  parseRegion,
  storedGeometry,
} from '../../geo/index.ts';
import { badValue } from '../error.ts';
import { docOf, type Path } from '../path.ts';
import type { NearPredicate, QueryContext } from '../types.ts';
import { type Found, isArray, isDoc } from '../value.ts';
import { nearNotAllowed } from './allowed.ts';
import { leaf, type Predicate } from './predicate.ts';
import { conjuncts, type FilterNode, filterTree } from './tree.ts';

/** `$geoWithin` and `$geoIntersects`: some value at the path is a geometry that lies there. */
export function isInRegion(operator: GeoOperator, condition: Doc): Predicate {
  const region = parseRegion(operator, condition);
  return leaf((value) => {
    const geometry = geometryOf(value);
    return geometry !== undefined && region.matches(geometry);
  });
}

function geometryOf(value: Found) {
  return isDoc(value) || isArray(value) ? storedGeometry(value) : undefined;
}

/** `$near` and `$nearSphere`: the nearest place of the document is neither too near nor too far. The order is a plan's. */
export function isNear(condition: Doc, path: string, context: QueryContext): Predicate {
  if (!context.nears) throw nearNotAllowed();
  const near = parseNear(condition);
  context.nears.push({ path, near });
  const isWithin = (distance: number | undefined) =>
    distance !== undefined && distance >= near.min && distance <= near.max;
  return {
    single: (value) => {
      const geometry = geometryOf(value);
      return geometry !== undefined && isWithin(near.distance(geometry));
    },
    at: ({ parts }: Path) => {
      return (doc: Doc | KeptDoc) => isWithin(nearestPlace(docOf(doc), parts, near)?.distance);
    },
  };
}

/** What a filter asks for by distance, if it does; `nears` is all that was met in it. */
export function soleNear(filter: Doc, nears: readonly NearPredicate[]): NearPredicate | undefined {
  if (nears.length > 1) throw badValue('Too many geoNear expressions');
  if (nears.length === 1 && !hasNear(filter)) throw badValue('geoNear must be top-level expr');
  return nears[0];
}

/** Whether such a condition holds for every match, as one of several perhaps. */
function hasNear(filter: Doc): boolean {
  return conjuncts(filterTree(filter)).some((node) => node.kind === 'near');
}

/** The regions that a filter's conjuncts demand, by path; of several on a path one. */
export function geoRegions(nodes: readonly FilterNode[]): Map<string, GeoRegion> {
  const found = new Map<string, GeoRegion>();
  for (const node of nodes) {
    const operator = node.kind === 'leaf' && REGION_OPERATORS.get(node.operator);
    if (operator) found.set(node.path, parseRegion(operator, new Map([[node.operator, node.operand]])));
  }
  return found;
}

const REGION_OPERATORS: ReadonlyMap<string, GeoOperator> = new Map([
  ['$geoWithin', '$geoWithin'],
  ['$within', '$geoWithin'],
  ['$geoIntersects', '$geoIntersects'],
]);
