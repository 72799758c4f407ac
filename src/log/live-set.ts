const MASK = (1n << 64n) - 1n;
const MULTIPLIER_1 = 0xbf58476d1ce4e5b9n;
const MULTIPLIER_2 = 0x94d049bb133111ebn;
/** Inverses of the multipliers modulo 2^64. */
const INVERSE_1 = 0x96de1b173f119089n;
const INVERSE_2 = 0x319642b2d24d8ec3n;

/** What a header says of the set of live records: how many, and the exclusive or of their mixed sequences. */
export interface LiveSetDigest {
  readonly count: number;
  /** 64 bits. */
  readonly digest: bigint;
}

/**
 * The finalizer of SplitMix64: a bijection of 64 bits that makes neighbours unlike each other, so that the exclusive
 * or of a set says which set it is.
 */
export function mix(seq: number): bigint {
  let bits = BigInt(seq);
  bits = ((bits ^ (bits >> 30n)) * MULTIPLIER_1) & MASK;
  bits = ((bits ^ (bits >> 27n)) * MULTIPLIER_2) & MASK;
  return bits ^ (bits >> 31n);
}

/** The 64-bit value that `mix` turns into `mixed`. */
export function unmix(mixed: bigint): bigint {
  let bits = mixed ^ (mixed >> 31n) ^ (mixed >> 62n);
  bits = (bits * INVERSE_2) & MASK;
  bits = bits ^ (bits >> 27n) ^ (bits >> 54n);
  bits = (bits * INVERSE_1) & MASK;
  return bits ^ (bits >> 30n) ^ (bits >> 60n);
}

/** The records that hold at least one newest version of a document, known by their digest alone. */
export class LiveSet implements LiveSetDigest {
  count = 0;
  digest = 0n;

  add(seq: number): void {
    this.count++;
    this.digest ^= mix(seq);
  }

  delete(seq: number): void {
    this.count--;
    this.digest ^= mix(seq);
  }
}

/**
 * The one sequence by which two sets differ, where they differ by exactly one; undefined otherwise (up to a chance of
 * one in 2^64 for each sequence there is).
 */
export function oneDifference(told: LiveSetDigest, found: LiveSetDigest, newest: number): number | undefined {
  if (Math.abs(told.count - found.count) !== 1) return undefined;
  const seq = unmix(told.digest ^ found.digest);
  return seq >= 1n && seq <= BigInt(newest) ? Number(seq) : undefined;
}
