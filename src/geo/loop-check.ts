import type { s2 } from 's2js';
import { type Arc, arcsCross, arcsOf, same, type Vec } from './vector.ts';

/** What is wrong with the border of a polygon, as S2 says it; undefined for a border that is none of these. */
export function loopError(points: readonly Vec[]): string | undefined {
  const seen = new Map<string, number>();
  for (const [at, point] of points.entries()) {
    const key = keyOf(point);
    const first = seen.get(key);
    if (first !== undefined) return `Duplicate vertices: ${first} and ${at}`;
    seen.set(key, at);
  }
  const arcs = arcsOf(points, true);
  const pair = firstCrossing(arcs);
  if (!pair) return undefined;
  const [a, b] = [arcs[pair[0]]!, arcs[pair[1]]!];
  return `Edges ${pair[0]} and ${pair[1]} cross. Edge locations in degrees: ${degrees(a)} and ${degrees(b)}`;
}

/** What is wrong with a line. */
export function lineError(points: readonly Vec[]): string | undefined {
  for (let at = 1; at < points.length; at++) {
    const [a, b] = [points[at - 1]!, points[at]!];
    if (a.x === -b.x && a.y === -b.y && a.z === -b.z) return `Vertices ${at - 1} and ${at} are identical or antipodal`;
  }
  return undefined;
}

/** What is wrong with several loops, of which the first holds all others. */
export function loopsError(loops: readonly s2.Loop[]): string | undefined {
  return sharedEdge(loops) ?? crossingLoops(loops);
}

/** MongoDB lets a hole touch its polygon's border at one point, and not at more. */
export function holeTouchesTwice(loops: readonly s2.Loop[]): number | undefined {
  const shell = new Set(loops[0]!.vertices.map(({ vector }) => keyOf(vector)));
  const at = loops.findIndex(
    (loop, index) => index > 0 && loop.vertices.filter(({ vector }) => shell.has(keyOf(vector))).length > 1,
  );
  return at < 0 ? undefined : at;
}

/** Whether a hole lies in another one. */
export function hasNestedHoles(loops: readonly s2.Loop[]): boolean {
  const holes = loops.slice(1);
  return holes.some((hole) => holes.some((other) => other !== hole && hole.contains(other)));
}

function sharedEdge(loops: readonly s2.Loop[]): string | undefined {
  const edges = new Map<string, string>();
  for (const [at, { vertices }] of loops.entries()) {
    for (const [edge, { vector }] of vertices.entries()) {
      const ends = [keyOf(vector), keyOf(vertices[(edge + 1) % vertices.length]!.vector)];
      const key = ends.sort().join(' ');
      const place = `loop ${at}, edge ${edge}`;
      const other = edges.get(key);
      if (other) return `Duplicate edge: ${place} and ${other}`;
      edges.set(key, place);
    }
  }
  return undefined;
}

function crossingLoops(loops: readonly s2.Loop[]): string | undefined {
  for (const [at, loop] of loops.entries()) {
    for (let other = at + 1; other < loops.length; other++) {
      if (loop.compareBoundary(loops[other]!) === 0) return `Loop ${at} crosses loop ${other}`;
    }
  }
  return undefined;
}

/** The first two arcs of a loop that cross, by their numbers. Goes along an axis, so that distant arcs are not compared. */
function firstCrossing(arcs: readonly Arc[]): [number, number] | undefined {
  const spans = arcs.map(spanOf);
  const order = arcs.map((_, at) => at).sort((left, right) => spans[left]!.low - spans[right]!.low);
  let first: [number, number] | undefined;
  let open: number[] = [];
  for (const at of order) {
    open = open.filter((other) => spans[other]!.high >= spans[at]!.low);
    for (const other of open) {
      const [low, high] = at < other ? [at, other] : [other, at];
      if (first && (low > first[0] || (low === first[0] && high > first[1]))) continue;
      if (arcsCross(arcs[low]!, arcs[high]!)) first = [low, high];
    }
    open.push(at);
  }
  return first;
}

/** How far an arc reaches along the x axis: it bulges out of its chord by no more than a quarter of the chord's square. */
function spanOf([a, b]: Arc): { low: number; high: number } {
  const bulge = ((a.x - b.x) ** 2 + (a.y - b.y) ** 2 + (a.z - b.z) ** 2) / 4;
  return { low: Math.min(a.x, b.x) - bulge, high: Math.max(a.x, b.x) + bulge };
}

function keyOf({ x, y, z }: Vec): string {
  return `${x} ${y} ${z}`;
}

/** Latitude before longitude. */
function degrees([a, b]: Arc): string {
  return `${degreesOf(a)}-${degreesOf(b)}`;
}

function degreesOf({ x, y, z }: Vec): string {
  const latitude = Math.atan2(z, Math.sqrt(x * x + y * y));
  const longitude = Math.atan2(y, x);
  return `[${[latitude, longitude].map((radians) => ((radians * 180) / Math.PI).toFixed(7)).join(', ')}]`;
}

/** Without points that repeat the one before them. */
export function withoutRepeats(points: readonly Vec[]): Vec[] {
  return points.filter((point, at) => at === 0 || !same(point, points[at - 1]!));
}
