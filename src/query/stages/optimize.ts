import { type Doc, doc as literal, ObjectId, type Value } from '../../bson/index.ts';
import { exactLong, intOrLong } from '../number.ts';
import { arrayIndex } from '../path.ts';
import { isArray, isDoc, isNumeric, truthy } from '../value.ts';
import { isExclusion } from './dependencies.ts';
import { filterPaths, overlap, rootOf } from './references.ts';

/** A valid stage taken apart. */
interface Parts {
  readonly name: string;
  readonly spec: Value;
}

/**
 * A pipeline that gives the same and does less: filters stand as early as they may, one beside the other, and what
 * cuts the stream short stands before what makes one document of one. Of a valid pipeline alone.
 */
export function optimize(stages: readonly Doc[]): Doc[] {
  let parts = stages.map((stage): Parts => {
    const [name, spec] = stage.entries().next().value!;
    return { name, spec };
  });
  // Each change brings a filter or a limit forward, or makes the pipeline shorter, so this ends.
  for (let changed = improved(parts); changed; changed = improved(parts)) parts = changed;
  return parts.map(({ name, spec }) => new Map([[name, spec]]));
}

/** The pipeline after one change; undefined where there is none to make. */
function improved(parts: readonly Parts[]): Parts[] | undefined {
  for (let at = 0; at < parts.length; at++) {
    const here = parts[at]!;
    if (here.name === '$match' && isDoc(here.spec) && here.spec.size === 0) return spliced(parts, at, 1, []);
    const next = parts[at + 1];
    const better = next && pair(here, next);
    if (better) return spliced(parts, at, 2, better);
  }
  return undefined;
}

function spliced(parts: readonly Parts[], at: number, gone: number, come: readonly Parts[]): Parts[] {
  return [...parts.slice(0, at), ...come, ...parts.slice(at + gone)];
}

function pair(here: Parts, next: Parts): Parts[] | undefined {
  if (next.name === '$match' && isDoc(next.spec)) {
    return here.name === '$match' && isDoc(here.spec) ? merged(here.spec, next.spec) : forward(here, next.spec);
  }
  if (next.name === '$limit' || next.name === '$skip') {
    if (ONE_TO_ONE.has(here.name)) return [next, here];
    if (here.name === next.name) return together(here, next);
  }
  return undefined;
}

/** Stages that make one document of one, whatever comes before and after it. */
const ONE_TO_ONE: ReadonlySet<string> = new Set([
  '$addFields',
  '$graphLookup',
  '$lookup',
  '$project',
  '$replaceRoot',
  '$replaceWith',
  '$set',
  '$unset',
]);

function together(here: Parts, next: Parts): Parts[] | undefined {
  const [one, other] = [here, next].map(({ spec }) => (isNumeric(spec) ? exactLong(spec) : undefined));
  if (one === undefined || other === undefined) return undefined;
  const count = here.name === '$skip' ? one + other : one < other ? one : other;
  return count > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : [{ name: here.name, spec: intOrLong(Number(count)) }];
}

function match(conditions: readonly Doc[]): Parts {
  const flat: Doc = new Map();
  for (const condition of conditions) {
    for (const [name, operand] of condition) {
      if (flat.has(name)) return { name: '$match', spec: literal({ $and: conditions }) };
      flat.set(name, operand);
    }
  }
  return { name: '$match', spec: flat };
}

function merged(one: Doc, other: Doc): Parts[] {
  return [match([one, other])];
}

/** Brings before `stage` what of a filter after it can be told there. */
function forward(stage: Parts, filter: Doc): Parts[] | undefined {
  if (stage.name === '$unionWith') return intoUnion(stage.spec, filter);
  const before: Doc[] = [];
  const after: Doc[] = [];
  for (const condition of conditionsOf(filter)) {
    const moved = movedBefore(stage, condition);
    if (moved) before.push(moved);
    else after.push(condition);
  }
  if (before.length === 0) return undefined;
  return [match(before), stage, ...(after.length > 0 ? [match(after)] : [])];
}

/** What all must hold, each alone. */
function conditionsOf(filter: Doc): Doc[] {
  return [...filter].flatMap(([name, operand]): Doc[] =>
    name === '$and' && isArray(operand)
      ? operand.flatMap((branch) => (isDoc(branch) ? conditionsOf(branch) : []))
      : [new Map([[name, operand]])],
  );
}

function intoUnion(spec: Value, filter: Doc): Parts[] | undefined {
  if (filterPaths(filter) === undefined) return undefined;
  const stage: Doc = new Map([['$match', filter]]);
  const given: Doc = isDoc(spec) ? new Map(spec) : new Map([['coll', spec]]);
  const pipeline = given.get('pipeline');
  given.set('pipeline', [...(isArray(pipeline) ? pipeline : []), stage]);
  return [
    { name: '$match', spec: filter },
    { name: '$unionWith', spec: given },
  ];
}

/** The condition as it stands before the stage; undefined where it must stay behind. */
function movedBefore(stage: Parts, condition: Doc): Doc | undefined {
  const paths = filterPaths(condition);
  if (!paths) return undefined;
  if (stage.name === '$group') return beforeGroup(stage.spec, condition);
  const untouched = untouchedBy(stage);
  return untouched && [...paths].every(untouched) ? condition : undefined;
}

/** Tells which paths lead to the same before the stage and after it; undefined where none can be relied on. */
function untouchedBy({ name, spec }: Parts): ((path: string) => boolean) | undefined {
  const outside = (changed: readonly string[]) => (path: string) => !changed.some((other) => overlap(path, other));
  // A field set within another makes a document of what was none, and then what lies beside it reads otherwise.
  const apart = (set: readonly string[]) => outside(set.map(rootOf));
  switch (name) {
    case '$sort':
      return () => true;
    case '$addFields':
    case '$set':
      return isDoc(spec) ? apart([...spec.keys()]) : undefined;
    case '$unset':
      return outside((isArray(spec) ? spec : [spec]).map(String));
    case '$project':
      if (!isDoc(spec)) return undefined;
      return isExclusion(spec)
        ? outside([...spec].filter(([, value]) => !included(value)).map(([key]) => key))
        : keptBy(spec);
    case '$unwind':
      return outside(
        isDoc(spec)
          ? [String(spec.get('path')).slice(1), rootOf(String(spec.get('includeArrayIndex') ?? '$'))]
          : [String(spec).slice(1)],
      );
    case '$lookup':
    case '$graphLookup':
      return isDoc(spec) ? apart([String(spec.get('as'))]) : undefined;
  }
  return undefined;
}

function included(value: Value): boolean {
  return (isNumeric(value) || typeof value === 'boolean') && truthy(value);
}

/** Of an inclusion the fields that it keeps whole. */
function keptBy(spec: Doc): (path: string) => boolean {
  return (path) => {
    const [root = ''] = path.split('.', 1);
    return spec.has(root)
      ? included(spec.get(root))
      : root === '_id' && ![...spec.keys()].some((key) => overlap(key, '_id'));
  };
}

const ORDERED: ReadonlySet<string> = new Set(['$eq', '$in', '$gt', '$gte', '$lt', '$lte']);

/**
 * A condition on the value that documents are grouped by, as one on the field that it comes from. Only such as hold for
 * all the equal values of a group or for none, and not for null, which stands for missing fields, too.
 */
function beforeGroup(spec: Value, condition: Doc): Doc | undefined {
  if (!isDoc(spec) || condition.size !== 1) return undefined;
  const [[path, operand]] = [...condition] as [[string, Value]];
  const source = sourceOf(spec.get('_id'), path);
  if (source === undefined || source.split('.').some((part) => arrayIndex(part) >= 0)) return undefined;
  if (!isDoc(operand)) return isScalar(operand) ? new Map([[source, operand]]) : undefined;
  const isTold = [...operand].every(
    ([name, value]) =>
      ORDERED.has(name) && (name === '$in' ? isArray(value) && value.every(isScalar) : isScalar(value)),
  );
  return operand.size > 0 && isTold ? new Map([[source, operand]]) : undefined;
}

/** A value that means itself alone to a filter, and not null. */
function isScalar(value: Value): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || isNumeric(value)) return true;
  return value instanceof Date || value instanceof ObjectId;
}

/** The field that a path of the group's `_id` stands for. */
function sourceOf(id: Value, path: string): string | undefined {
  const [root, part, ...rest] = path.split('.');
  if (root !== '_id' || rest.length > 0) return undefined;
  const expression = part === undefined ? id : isDoc(id) ? id.get(part) : undefined;
  if (typeof expression !== 'string' || !expression.startsWith('$') || expression.startsWith('$$')) return undefined;
  return expression.slice(1);
}
