import { expect, test } from 'vitest';
import { type Doc, doc } from '../../../src/bson/index.ts';
import { runPipeline } from '../../../src/query/index.ts';
import { decimal, double, long } from '../../support/expressions/case.ts';
import { pipelineContext, show } from './support.ts';

/** The value of one accumulator over the field `x` of documents. */
async function grouped(accumulator: unknown, docs: readonly object[]): Promise<Doc> {
  async function* source() {
    yield docs.map((item) => doc(item));
  }
  const stages = [doc({ $group: { _id: null, r: accumulator } })];
  for await (const batch of runPipeline(stages, source(), pipelineContext())) {
    for (const found of batch) return new Map([['r', found.get('r')]]);
  }
  throw new Error('no group');
}

const xs = (...values: unknown[]) => values.map((x) => (x === undefined ? {} : { x }));

const CASES: [accumulator: unknown, result: unknown, docs: object[]][] = [
  [{ $sum: '$x' }, 3, xs(1, 2, 'a', null)],
  [{ $sum: '$x' }, long(3), xs(1, long(2))],
  [{ $sum: '$x' }, long(2147483648), xs(2147483647, 1)],
  [{ $sum: '$x' }, double(2 ** 63), xs(9223372036854775807n, 1)],
  [{ $sum: '$x' }, 0.6, xs(0.1, 0.2, 0.3)],
  [{ $sum: '$x' }, double(1), xs(1e100, 1, -1e100)],
  [{ $sum: '$x' }, decimal('1.1'), xs(decimal('0.1'), 1)],
  [{ $sum: '$x' }, decimal('2.25'), xs(decimal('0.5'), 1.75)],
  // A double goes into a sum of decimals with all its digits.
  [{ $sum: '$x' }, decimal('1.100000000000000005551115123125783'), xs(decimal('1'), 0.1)],
  [{ $sum: 1 }, 2, xs(1, 2)],
  [{ $sum: '$x' }, 0, xs('a')],
  [{ $avg: '$x' }, 1.5, xs(1, 2, null)],
  [{ $avg: '$x' }, decimal('1.5'), xs(decimal('1'), 2)],
  [{ $avg: '$x' }, null, xs('a')],
  [{ $min: '$x' }, 1, xs(null, 2, 1, undefined)],
  [{ $max: '$x' }, 'a', xs(5, 'a')],
  [{ $max: '$x' }, null, xs(null)],
  [{ $first: '$x' }, null, xs(undefined, 1)],
  [{ $last: '$x' }, 2, xs(1, 2)],
  [{ $push: '$x' }, [1, null, 2], xs(1, null, undefined, 2)],
  [{ $addToSet: '$x' }, [1, 'a'], xs(1, long(1), 'a', undefined)],
  [{ $mergeObjects: '$x' }, { a: 2, b: 1 }, xs({ a: 1 }, null, { b: 1 }, { a: 2 })],
  [{ $stdDevPop: '$x' }, double(1), xs(1, 3, 'a')],
  [{ $stdDevSamp: '$x' }, null, xs(1)],
  [{ $count: {} }, 2, xs(1, 2)],
  [{ $firstN: { n: 2, input: '$x' } }, [null, 1], xs(undefined, 1, 2)],
  [{ $lastN: { n: 2, input: '$x' } }, [1, 2], xs(0, 1, 2)],
  [{ $minN: { n: 2, input: '$x' } }, [1, 2], xs(3, null, 1, 2)],
  [{ $maxN: { n: 2, input: '$x' } }, [3, 2], xs(3, null, 1, 2)],
  [{ $top: { sortBy: { x: -1 }, output: '$x' } }, 3, xs(1, 3, 2)],
  [{ $bottom: { sortBy: { x: -1 }, output: ['$x'] } }, [1], xs(1, 3, 2)],
  [{ $topN: { n: 2, sortBy: { x: 1 }, output: '$x' } }, [1, 2], xs(3, 1, 2)],
  [{ $bottomN: { n: 2, sortBy: { x: 1 }, output: '$x' } }, [2, 3], xs(3, 1, 2)],
  [{ $median: { input: '$x', method: 'approximate' } }, double(2), xs(3, 1, 2, 4, 'a')],
  [{ $median: { input: '$x', method: 'approximate' } }, null, xs('a')],
  [{ $percentile: { input: '$x', p: [0.25, 0.95], method: 'approximate' } }, [double(1), double(4)], xs(3, 1, 2, 4)],
];

test.each(CASES)('%o is %o', async (accumulator, result, docs) => {
  expect(show(await grouped(accumulator, docs))).toBe(show(doc({ r: result })));
});

const REFUSED: [accumulator: unknown, code: number | string, message: string][] = [
  [{ $nope: 1 }, 15952, "unknown group operator '$nope'"],
  [{ $concatArrays: '$x' }, 15952, "unknown group operator '$concatArrays'"],
  [{ $setUnion: '$x' }, 15952, "unknown group operator '$setUnion'"],
  [5, 40234, "The field 'r' must be an accumulator object"],
  [{}, 40234, "The field 'r' must be an accumulator object"],
  [{ $sum: 1, $avg: 1 }, 40238, "The field 'r' must specify one accumulator"],
  [{ x: 1 }, 40234, "The field 'r' must be an accumulator object"],
  [{ $sum: ['$x', 1] }, 40237, 'The $sum accumulator is a unary operator'],
  [{ $mergeObjects: '$x' }, 40400, '$mergeObjects requires object inputs, but input 1 is of type int'],
  [{ $firstN: 5 }, 5787801, 'specification must be an object; found $firstN: 5'],
  [{ $firstN: { n: 0, input: '$x' } }, 5787908, "'n' must be greater than 0, found 0"],
  [{ $firstN: { n: 1.5, input: '$x' } }, 5787903, "Value for 'n' must be of integral type, but found 1.5"],
  [{ $top: { output: 1 } }, 5788005, "Missing value for 'sortBy'"],
  [{ $topN: { sortBy: { x: 1 }, output: 1 } }, 5788003, "Missing value for 'n'"],
  [{ $top: { n: 1, sortBy: { x: 1 }, output: 1 } }, 5788002, "Unknown argument to $top 'n'"],
  [{ $median: 5 }, 7436100, 'specification must be an object; found $median: 5'],
  [
    { $percentile: { input: 1, method: 'approximate' } },
    'IDLFailedToParse',
    "BSON field '$percentile.p' is missing but a required field",
  ],
  [{ $count: { x: 1 } }, 'TypeMismatch', '$count takes no arguments, i.e. $count:{}'],
  [{ $accumulator: 5 }, 4544703, '$accumulator expects an object as an argument; found: int'],
  [{ $accumulator: { init: 'x' } }, 4544708, "$accumulator missing required argument 'accumulate'"],
  [
    { $accumulator: { init: 'x', accumulate: 'x', merge: 'x', accumulateArgs: [], lang: 'js' } },
    31264,
    'Cannot run server-side javascript without the javascript engine enabled',
  ],
];

test.each(REFUSED)('%o is refused with %s', async (accumulator, code, message) => {
  const codeName = typeof code === 'number' ? `Location${code}` : code;
  await expect(grouped(accumulator, xs(1))).rejects.toMatchObject({ codeName, message });
});
