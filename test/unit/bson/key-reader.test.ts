import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Collator, doc, encodeKey, keyEnd } from '../../../src/bson/index.ts';
import { anyValue, numeric, text } from './arbitraries.ts';

const field = fc.tuple(fc.oneof(anyValue, numeric, text), fc.boolean());

test('the values of a compound key end where they were put together', () => {
  fc.assert(
    fc.property(fc.array(field, { minLength: 1, maxLength: 4 }), fc.boolean(), (fields, collated) => {
      const texts = collated ? Collator.of(doc({ locale: 'de' }))!.newOrder() : undefined;
      const keys = fields.map(([value, descending]) => encodeKey(value, descending, texts));
      const key = `${keys.join('')}\0\0\0\0\0\0\x01`;
      let at = 0;
      for (const [field, [, descending]] of fields.entries()) {
        const end = keyEnd(key, at, descending);
        expect(key.slice(at, end)).toBe(keys[field]);
        at = end;
      }
    }),
    { numRuns: 3000 },
  );
});
