import { describe, expect, test } from 'vitest';
import { type Doc, doc, encode, identical, toExtendedJson } from '../../../../src/bson/index.ts';
import { compileProjection } from '../../../../src/query/index.ts';
import { MISSING } from '../../../support/expressions/case.ts';
import { FAMILIES } from '../../../support/expressions/families.ts';
import { context, expectCoded } from '../support.ts';

/** What the tables say, of the room alone: every result bit for bit. */
function evaluate(expression: unknown, document: object = {}): Doc {
  const projection = compileProjection(doc({ _id: 0, r: { $let: { vars: {}, in: expression } } }), { context });
  return projection.apply(doc(document));
}

/** MongoDB's numbers of the errors that the room knows by name. */
const NAMES: Readonly<Record<number, string>> = {
  2: 'BadValue',
  9: 'FailedToParse',
  14: 'TypeMismatch',
  15: 'Overflow',
  146: 'ExceededMemoryLimit',
  168: 'InvalidPipelineOperator',
  40414: 'IDLFailedToParse',
  241: 'ConversionFailure',
};

for (const [name, { results, errors }] of Object.entries(FAMILIES)) {
  describe(name, () => {
    test.each(results.map((row) => [...row] as const))('%o is %o', (expression, result, document) => {
      const expected = doc(result === MISSING ? {} : { r: result });
      const found = evaluate(expression, document);
      if (!identical(found, expected)) {
        expect(toExtendedJson(encode(found))).toBe(toExtendedJson(encode(expected)));
      }
      expect(identical(found, expected)).toBe(true);
    });

    test.each(errors.map((row) => [...row] as const))('%o: %i %s', (expression, code, message, document) => {
      expectCoded(() => evaluate(expression, document), NAMES[code] ?? code, message);
    });
  });
}
