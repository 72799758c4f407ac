import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LiveSet, mix, oneDifference, unmix } from '../../../src/log/live-set.ts';
import { nonceOf } from '../../../src/log/nonce.ts';

test('unmix undoes mix', () => {
  fc.assert(fc.property(fc.maxSafeNat(), (seq) => unmix(mix(seq)) === BigInt(seq)));
});

test('a set that lacks one member, or has one too many, tells which', () => {
  const seqs = fc.uniqueArray(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(seqs, fc.nat(), (members, which) => {
      const [whole, part] = [new LiveSet(), new LiveSet()];
      const lost = members[which % members.length]!;
      for (const seq of members) {
        whole.add(seq);
        if (seq !== lost) part.add(seq);
      }
      expect(oneDifference(whole, part, 100_000)).toBe(lost);
      expect(oneDifference(part, whole, 100_000)).toBe(lost);
      whole.delete(lost);
      expect(whole).toEqual(part);
      expect(oneDifference(whole, part, 100_000)).toBeUndefined();
    }),
  );
});

test('no two records of any channels share a nonce, and all fit', () => {
  const place = fc.tuple(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), fc.nat(36 ** 5 - 1), fc.nat(36 ** 6));
  fc.assert(
    fc.property(place, place, (one, other) => {
      const [a, b] = [one, other].map(([channel, epoch, seq]) => nonceOf(String(channel), epoch, seq));
      expect(a!.length).toBeLessThanOrEqual(25);
      expect(a === b).toBe(one.join() === other.join());
    }),
  );
  expect(nonceOf('1', 11, 1)).not.toBe(nonceOf('1', 1, 11));
});
