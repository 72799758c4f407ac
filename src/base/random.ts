import { randomBytes } from 'node:crypto';

/** The only source of chance. */
export interface Random {
  /** A double in [0, 1). */
  next(): number;
  bytes(length: number): Uint8Array;
}

export const systemRandom: Random = {
  next: () => randomBytes(4).readUInt32BE() / 0x1_0000_0000,
  bytes: (length) => randomBytes(length),
};

/** A repeatable source (mulberry32): the same seed gives the same sequence on every machine. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  return {
    next,
    bytes: (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256)),
  };
}

/** An integer in [0, limit). */
export function randomInt(random: Random, limit: number): number {
  return Math.floor(random.next() * limit);
}

/** The 16 bytes of a version 4 UUID (RFC 9562). */
export function uuidBytes(random: Random): Uint8Array {
  const bytes = random.bytes(16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes;
}

/** `size` of the items, or all of them, at random and in random order. Changes the order of `items`. */
export function draw<T>(items: T[], size: number, random: () => number): T[] {
  const most = Math.min(size, items.length);
  // The first of a Fisher-Yates shuffle.
  for (let at = 0; at < most; at++) {
    const other = at + Math.floor(random() * (items.length - at));
    [items[at], items[other]] = [items[other]!, items[at]!];
  }
  return items.slice(0, most);
}
