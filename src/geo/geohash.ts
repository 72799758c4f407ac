import type { Box, FlatPoint } from './flat.ts';

/** The square of the plane that an index of kind `2d` covers, and how finely: in `2 ** bits` steps each way. */
export interface Grid {
  readonly min: number;
  readonly max: number;
  readonly bits: number;
}

/** Squares that a part of the plane is covered by, at most. */
const MAX_SQUARES = 16;
const STEPS = 2 ** 32;

/**
 * A point as text: a digit for each step, which of the four quarters of the square before it lies in. Squares are the
 * beginnings of the texts of what lies in them. The point lies in the grid.
 */
export function geohash({ x, y }: FlatPoint, grid: Grid): string {
  const [column, row] = [stepOf(x, grid), stepOf(y, grid)];
  let text = '';
  for (let bit = 31; bit > 31 - grid.bits; bit--) text += ((column >>> bit) & 1) * 2 + ((row >>> bit) & 1);
  return text;
}

export function isInGrid({ x, y }: FlatPoint, { min, max }: Grid): boolean {
  return x >= min && x <= max && y >= min && y <= max;
}

/** Squares that together cover a box, as beginnings of texts. */
export function squaresOf(box: Box, grid: Grid): string[] {
  const wanted = {
    left: stepOf(box.min.x, grid),
    right: stepOf(box.max.x, grid),
    bottom: stepOf(box.min.y, grid),
    top: stepOf(box.max.y, grid),
  };
  let squares = [{ text: '', left: 0, bottom: 0 }];
  for (let level = 1; level <= grid.bits; level++) {
    const size = STEPS / 2 ** level;
    const finer = squares.flatMap(({ text, left, bottom }) =>
      [0, 1, 2, 3].map((quarter) => ({
        text: text + quarter,
        left: left + (quarter >> 1) * size,
        bottom: bottom + (quarter & 1) * size,
      })),
    );
    const met = finer.filter(
      ({ left, bottom }) =>
        left <= wanted.right && left + size > wanted.left && bottom <= wanted.top && bottom + size > wanted.bottom,
    );
    if (met.length > MAX_SQUARES) break;
    squares = met;
  }
  return squares.map(({ text }) => text);
}

/** The points of a square, as numbers whose digits in base 4 are those of their texts; both ends included. */
export function rangeOfSquare(square: string, { bits }: Grid): readonly [bigint, bigint] {
  const size = 4n ** BigInt(bits - square.length);
  const low = [...square].reduce((number, digit) => number * 4n + BigInt(digit), 0n) * size;
  return [low, low + size - 1n];
}

/** The text of a point's number. */
export function geohashOf(number: bigint, { bits }: Grid): string {
  return number.toString(4).padStart(bits, '0');
}

/** The number of the step that a coordinate lies in; what is outside counts as the nearest one. */
function stepOf(value: number, { min, max }: Grid): number {
  return Math.max(0, Math.min(STEPS - 1, Math.floor(((value - min) / (max - min)) * STEPS)));
}
