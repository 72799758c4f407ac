import { located } from '../../base/index.ts';
import { type Doc, isNumber, type Value } from '../../bson/index.ts';
import { wildcardsOf } from './wildcard-paths.ts';

/** Throws for a key with a wildcard that cannot be, whatever is projected. */
export function checkWildcardKey(key: Doc): void {
  const [wildcard, another] = wildcardsOf(key);
  if (another !== undefined) throw located(7246201, 'Index Key can contain only one wildcard index field');
  if (wildcard === undefined) throw located(7246202, 'No wildcard index field is specified for the wildcard index');
  if (wildcard === '$**') return;
  const overlapping = othersOf(key).find((path) => isWithin(path, wildcard.slice(0, -'.$**'.length)));
  if (overlapping === undefined) return;
  throw located(
    7246204,
    `A wildcard index field should not overlap with and index key fields if wildcard projection is empty, however '${overlapping}' is overlapping with the wildcard index field.`,
  );
}

/** Throws for what a projection, `wildcardProjection`, cannot be beside the key, which has the field `$**`. */
export function checkWildcardProjection(key: Doc, projection: Doc): void {
  if (key.size > 1) checkCompound(othersOf(key).sort(byPath), projection);
}

function othersOf(key: Doc): string[] {
  const wildcards = wildcardsOf(key);
  return [...key.keys()].filter((path) => !wildcards.includes(path));
}

function checkCompound(others: readonly string[], projection: Doc): void {
  const paths = [...projection.keys()].sort(byPath);
  const included = paths.filter((path) => isTrue(projection.get(path)));
  const excluded = paths.filter((path) => !isTrue(projection.get(path)));
  for (const each of [included, excluded]) checkOverlap(each);
  for (const other of others) {
    const holder = included.find((path) => isWithin(other, path));
    if (holder === undefined) continue;
    throw located(
      7246208,
      `Index Key and Wildcard Projection cannot contain overlapping fields, however '${other}' index field is ovverlapping with '${holder}' wildcardProjection path.`,
    );
  }
  const isIdAlone = (each: readonly string[]) => each.length === 1 && each[0] === '_id';
  if (excluded.length > 0 && !isIdAlone(excluded)) checkExcluded(others, excluded);
  if (included.length > 0 && excluded.length > 0 && !isIdAlone(included) && !isIdAlone(excluded)) {
    throw located(
      7246211,
      'Inclusion and exclusion statements cannot combine in the wildcardProjection with an exception of explicitly including _id field',
    );
  }
}

/** `paths` are in order, so that one that holds another stands right before it. */
function checkOverlap(paths: readonly string[]): void {
  for (const [at, path] of paths.entries()) {
    const before = paths[at - 1];
    if (before === undefined || !isWithin(path, before)) continue;
    throw located(
      7246200,
      `Fields in Wildcard Projection cannot overlap, however '${before}' is overlapped with '${path}`,
    );
  }
}

function checkExcluded(others: readonly string[], excluded: readonly string[]): void {
  const left = others.find((other) => !excluded.some((path) => isWithin(other, path)));
  if (left === undefined) return;
  // One number where MongoDB meets a later path before it gives up, another where there is none.
  const code = excluded.some((path) => byPath(path, left) > 0) ? 7246209 : 7246210;
  throw located(
    code,
    `wildcardProjection paths must exclude all regular index fields, however '${left}'is not excluded.`,
  );
}

/** The order of paths part by part. */
function byPath(left: string, right: string): number {
  const [ours, theirs] = [left.split('.'), right.split('.')];
  for (const [at, part] of ours.entries()) {
    const other = theirs[at];
    if (other === undefined) return 1;
    if (part !== other) return part < other ? -1 : 1;
  }
  return ours.length - theirs.length;
}

function isWithin(path: string, other: string): boolean {
  return path === other || path.startsWith(`${other}.`);
}

function isTrue(value: Value): boolean {
  return isNumber(value) ? Number(value) !== 0 : Boolean(value);
}
