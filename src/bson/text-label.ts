/**
 * Texts that stand for places in an order, with room for others between any two. A label is digits to the base 2^30, two
 * code units each, compared as texts are. None ends with the digit 0, and none holds the code unit 0, so that what is put
 * after a label may begin with it.
 */
const DIGIT_BITS = 30;
const UNIT_BITS = 15;
const BASE = 2 ** DIGIT_BITS;
/** So far from the neighbour that came last, so that a run of rising or falling texts makes labels of one length. */
const STRIDE = 2 ** UNIT_BITS;

/**
 * A label between two others, either of which may be absent; they rise. `near` says which of the two came last: the next
 * one will probably come on the same side of it.
 */
export function labelBetween(lower: string | undefined, upper: string | undefined, near: 'lower' | 'upper'): string {
  let label = '';
  let bounded = upper !== undefined;
  for (let at = 0; ; at += 2) {
    const low = lower === undefined ? 0 : digitAt(lower, at, 0);
    const high = bounded ? digitAt(upper!, at, BASE) : BASE;
    if (high - low > 1) {
      const step = Math.min(STRIDE, Math.floor((high - low) / 2));
      return label + digit(near === 'lower' ? low + step : high - step);
    }
    label += digit(low);
    bounded &&= high === low;
  }
}

function digitAt(label: string, at: number, beyond: number): number {
  if (at >= label.length) return beyond;
  return ((label.charCodeAt(at) - 1) << UNIT_BITS) | (label.charCodeAt(at + 1) - 1);
}

function digit(value: number): string {
  return String.fromCharCode((value >>> UNIT_BITS) + 1, (value & (STRIDE - 1)) + 1);
}
