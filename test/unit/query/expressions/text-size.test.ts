import { describe, expect, test } from 'vitest';
import { type Doc, doc } from '../../../../src/bson/index.ts';
import { compileProjection } from '../../../../src/query/index.ts';
import { context, expectCoded } from '../support.ts';

const MAX = 16 * 1024 * 1024;
const evaluate = (expression: unknown, document: object = {}) =>
  compileProjection(doc({ _id: 0, r: expression }), { context })
    .apply(doc(document))
    .get('r');

describe('texts of 16 MB', () => {
  const most = 'é'.repeat(MAX / 2 - 1);

  test.each([
    ['$concat', (text: string) => ({ $concat: ['$a', text] })],
    [
      '$replaceAll',
      (text: string) => ({ $replaceAll: { input: { $concat: ['$a', '|'] }, find: '|', replacement: text } }),
    ],
  ])('%s makes one that is shorter by a byte, and no longer one', (_, expression) => {
    expect(Buffer.byteLength(evaluate(expression('x'), { a: most }) as string)).toBe(MAX - 1);
    expectCoded(() => evaluate(expression('xy'), { a: most }), 16493, 'Tried to create string longer than 16MB');
  });

  test('one that is given is refused as well', () => {
    expectCoded(() => evaluate({ $strLenBytes: `${most}xy` }), 16493, 'Tried to create string longer than 16MB');
  });
});

describe('$regexFindAll of many', () => {
  const all = (text: string) => evaluate({ $regexFindAll: { input: '$a', regex: '\\w' } }, { a: text }) as Doc[];

  test('counts code points up to the last', () => {
    const found = all('\u{1f600}a'.repeat(100_000));
    expect(found.length).toBe(100_000);
    expect(String(found.at(-1)?.get('idx'))).toBe('199999');
  });

  test('ends with an error at 64 MB', () => {
    expectCoded(
      () => all('a'.repeat(2_000_000)),
      51151,
      '$regexFindAll: the size of buffer to store output exceeded the 64MB limit',
    );
  });
});
