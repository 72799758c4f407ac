import { describe, expect, test } from 'vitest';
import { type Doc, doc } from '../../../src/bson/index.ts';
import { runPipeline } from '../../../src/query/index.ts';
import { date, decimal, double } from '../../support/expressions/case.ts';
import { pipelineContext, show } from './support.ts';

async function run(docs: readonly object[], spec: object): Promise<Doc[]> {
  async function* source() {
    yield docs.map((item) => doc(item));
  }
  const found: Doc[] = [];
  for await (const batch of runPipeline([doc({ $setWindowFields: spec })], source(), pipelineContext())) {
    found.push(...batch);
  }
  return found;
}

/** The values of one window operator over documents in the order of `t`. */
async function column(docs: readonly object[], operator: object, sortBy: object | undefined = { t: 1 }) {
  const found = await run(docs, { ...(sortBy ? { sortBy } : {}), output: { r: operator } });
  return found.map((each) => show(new Map([['r', each.get('r')]])));
}

const shown = (values: readonly unknown[]) => values.map((r) => show(doc({ r })));
const numbers = (...values: (number | null | undefined)[]) => values.map((y, t) => ({ t, y }));
const FOUR = numbers(1, 2, 3, 4);
const window = (documents: unknown) => ({ documents });
const SLIDING = window([-1, 'current']);
const day = (n: number) => date(`2024-01-0${n}T00:00:00Z`);

const CASES: [name: string, operator: object, values: unknown[], docs?: object[]][] = [
  [
    'a slope of which only the ends can be had',
    { $derivative: { input: { $divide: [1, '$y'] } }, window: window(['unbounded', 'unbounded']) },
    Array(5).fill(-0.125),
    numbers(1, 0, 0, 0, 2),
  ],
  ['whole by default', { $sum: '$y' }, [10, 10, 10, 10]],
  ['growing', { $sum: '$y', window: window(['unbounded', 'current']) }, [1, 3, 6, 10]],
  ['shrinking', { $sum: '$y', window: window(['current', 'unbounded']) }, [10, 9, 7, 4]],
  ['sliding', { $sum: '$y', window: SLIDING }, [1, 3, 5, 7]],
  ['ahead', { $sum: '$y', window: window([1, 2]) }, [5, 7, 4, 0]],
  ['average', { $avg: '$y', window: SLIDING }, [double(1), 1.5, 2.5, 3.5]],
  ['nothing in the window', { $avg: '$y', window: window([2, 3]) }, [3.5, double(4), null, null]],
  ['min and max', { $min: '$y', window: SLIDING }, [1, 1, 2, 3]],
  ['push', { $push: '$y', window: window(['unbounded', 'current']) }, [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]],
  ['set', { $addToSet: '$y', window: SLIDING }, [[1], [1, 2], [2, 3], [3, 4]]],
  ['count', { $count: {}, window: SLIDING }, [1, 2, 2, 2]],
  ['first', { $first: '$y', window: SLIDING }, [1, 1, 2, 3]],
  ['last', { $last: '$y' }, [4, 4, 4, 4]],
  ['first n', { $firstN: { n: 2, input: '$y' } }, Array(4).fill([1, 2])],
  ['max n', { $maxN: { n: 1, input: '$y' }, window: SLIDING }, [[1], [2], [3], [4]]],
  ['top', { $top: { sortBy: { y: -1 }, output: '$t' } }, [3, 3, 3, 3]],
  ['bottom n', { $bottomN: { n: 2, sortBy: { y: 1 }, output: '$y' } }, Array(4).fill([3, 4])],
  ['bottom of equals, moving', { $bottom: { sortBy: { z: 1 }, output: '$t' }, window: SLIDING }, [0, 1, 2, 3]],
  ['top of equals, moving', { $top: { sortBy: { z: 1 }, output: '$t' }, window: SLIDING }, [0, 0, 1, 2]],
  [
    'bottom of equals, growing',
    { $bottom: { sortBy: { z: 1 }, output: '$t' }, window: window(['unbounded', 'current']) },
    [0, 0, 0, 0],
  ],
  ['median', { $median: { input: '$y', method: 'approximate' } }, Array(4).fill(double(2))],
  [
    'percentile',
    { $percentile: { input: '$y', p: [0.5], method: 'approximate' }, window: SLIDING },
    [[double(1)], [double(1)], [double(2)], [double(3)]],
  ],
  ['deviation', { $stdDevPop: '$y', window: SLIDING }, [0, 0.5, 0.5, 0.5]],
  [
    'deviation of one, growing',
    { $stdDevPop: '$y', window: window(['unbounded', 'current']) },
    [double(0), 0.5],
    numbers(1, 2),
  ],
  [
    'deviation beside what is not finite',
    { $stdDevPop: '$y', window: SLIDING },
    [0, null, null, 0.5],
    numbers(1, Number.POSITIVE_INFINITY, 3, 4),
  ],
  [
    'deviation of samples',
    { $stdDevSamp: '$y', window: SLIDING },
    [null, Math.SQRT1_2, Math.SQRT1_2],
    numbers(1, 2, 3),
  ],
  ['range', { $sum: '$y', window: { range: [-1, 1] } }, [3, 6, 9, 7]],
  [
    'range with gaps',
    { $sum: '$y', window: { range: [-1, 0] } },
    [1, 2, 5],
    [
      { t: 1, y: 1 },
      { t: 5, y: 2 },
      { t: 5.5, y: 3 },
    ],
  ],
  [
    'range of calendar months',
    { $sum: '$y', window: { range: [-1, 'current'], unit: 'month' } },
    [1, 3, 2 + 4],
    [
      { t: date('2024-01-31T00:00:00Z'), y: 1 },
      { t: date('2024-02-29T00:00:00Z'), y: 2 },
      { t: date('2024-03-29T00:00:00Z'), y: 4 },
    ],
  ],
  ['document number', { $documentNumber: {} }, [1, 2, 3], [{ t: 1 }, { t: 1 }, { t: 2 }]],
  ['rank', { $rank: {} }, [1, 1, 3], [{ t: 1 }, { t: 1 }, { t: 2 }]],
  ['dense rank', { $denseRank: {} }, [1, 1, 2], [{ t: 1 }, { t: 1 }, { t: 2 }]],
  ['shift', { $shift: { output: '$y', by: -1 } }, [null, 1, 2, 3]],
  ['shift with default', { $shift: { output: '$y', by: 1, default: 'none' } }, [2, 3, 4, 'none']],
  ['moving average by N', { $expMovingAvg: { input: '$y', N: 3 } }, [double(1), 1.5, 2.25, 3.125]],
  ['moving average by alpha', { $expMovingAvg: { input: '$y', alpha: 0.75 } }, [double(1), 1.75], numbers(1, 2)],
  [
    'moving average of decimals',
    { $expMovingAvg: { input: '$y', N: 1 } },
    [decimal('1.5'), decimal('2.5')],
    [
      { t: 0, y: decimal('1.5') },
      { t: 1, y: decimal('2.5') },
    ],
  ],
  ['derivative', { $derivative: { input: '$y' }, window: SLIDING }, [null, double(2), double(3)], numbers(1, 3, 6)],
  [
    'derivative by unit',
    { $derivative: { input: '$y', unit: 'day' }, window: SLIDING },
    [null, double(24), double(48)],
    [
      { t: day(1), y: 0 },
      { t: day(2), y: 24 },
      { t: day(3), y: 72 },
    ],
  ],
  [
    'integral',
    { $integral: { input: '$y' }, window: window(['unbounded', 'current']) },
    [0, 1.5, double(4)],
    numbers(1, 2, 3),
  ],
  [
    'integral by unit',
    { $integral: { input: '$y', unit: 'day' } },
    [1.5, 1.5],
    [
      { t: day(1), y: 1 },
      { t: day(2), y: 2 },
    ],
  ],
  ['covariance', { $covariancePop: ['$t', '$y'] }, Array(4).fill(1.25)],
  ['covariance of a sample', { $covarianceSamp: ['$t', '$y'], window: SLIDING }, [null, 0.5, 0.5, 0.5]],
  [
    'covariance where a pair is not finite',
    { $covariancePop: ['$x', '$y'], window: window([-1, 1]) },
    [double(1), ...Array(3).fill(Number.NEGATIVE_INFINITY), 0.5999999999999992],
    [
      { t: 0, x: 1, y: 3 },
      { t: 1, x: 2, y: 7 },
      { t: 2, x: Number.NEGATIVE_INFINITY, y: 1 },
      { t: 3, x: 0.1, y: 9 },
      { t: 4, x: 0.7, y: 13 },
    ],
  ],
  [
    'covariance of decimals that no double can hold',
    { $covariancePop: ['$x', '$y'] },
    Array(3).fill(decimal('1.666666666666666666666666666666667E+6143')),
    ['1E+6143', '2E+6143', '6E+6143'].map((x, t) => ({ t, x: decimal(x), y: t })),
  ],
  [
    'covariance of decimals whose sum overflows',
    { $covarianceSamp: ['$x', '$y'] },
    Array(3).fill(decimal('-Infinity')),
    numbers(1, 2, 3).map((each) => ({ ...each, x: decimal('8E+6144') })),
  ],
  ['carried forward', { $locf: '$y' }, [null, 1, 1, 3], numbers(null, 1, undefined, 3)],
  ['linear fill', { $linearFill: '$y' }, [null, 1, double(2), 3, null], numbers(null, 1, null, 3, null)],
];

describe('$setWindowFields', () => {
  test.each(CASES)('%s', async (_, operator, values, docs = FOUR) => {
    expect(await column(docs, operator)).toEqual(shown(values));
  });

  test('goes by partitions, in the order of their keys, and writes into paths', async () => {
    const docs = [
      { p: 'b', y: 1 },
      { p: 'a', y: 2 },
      { p: 'b', y: 3 },
    ];
    const found = await run(docs, { partitionBy: '$p', sortBy: { y: 1 }, output: { 's.t': { $sum: '$y' } } });
    expect(found.map(show)).toEqual([
      '{"p":"a","y":2,"s":{"t":2}}',
      '{"p":"b","y":1,"s":{"t":4}}',
      '{"p":"b","y":3,"s":{"t":4}}',
    ]);
  });
});

const REFUSED: [operator: object, code: string, message: string, docs?: object[], sortBy?: object][] = [
  [{ $nope: 1 }, 'FailedToParse', 'Unrecognized window function, $nope'],
  [{ sum: 1 }, 'FailedToParse', 'Expected a $-prefixed window function, sum'],
  [{ $sum: 1, $avg: 1 }, 'FailedToParse', 'Cannot specify two functions in window function spec'],
  [{ $sum: 1, x: 1 }, 'FailedToParse', 'Window function found an unknown argument: x'],
  [{ $sum: 1, window: 5 }, 'FailedToParse', "'window' field must be an object"],
  [{ $sum: 1, window: window([1]) }, 'FailedToParse', 'Window bounds must be a 2-element array: documents: [ 1 ]'],
  [{ $sum: 1, window: window([0.5, 1]) }, 'FailedToParse', 'Numeric document-based bounds must be an integer'],
  [
    { $sum: 1, window: window(['x', 1]) },
    'FailedToParse',
    "Window bounds must be 'unbounded', 'current', or a number.",
  ],
  [{ $sum: 1, window: window([1, 0]) }, 'Location5339900', 'Lower bound must not exceed upper bound: [1, 0]'],
  [{ $sum: 1, window: { range: [0, 1], unit: 'x' } }, 'FailedToParse', 'unknown time unit value: x'],
  [
    { $sum: 1, window: { range: [0, 1] } },
    'Location5429414',
    'Invalid range: Expected the sortBy field to be a number, but it was string',
    [{ t: 'x' }],
  ],
  [
    { $sum: 1, window: { range: [0, 1] } },
    'Location5429413',
    'Invalid range: For windows that involve date or time ranges, a unit must be provided.',
    [{ t: day(1) }],
  ],
  [
    { $sum: 1, window: { range: [0, 1], unit: 'day' } },
    'Location5429513',
    'Invalid range: Expected the sortBy field to be a Date, but it was int',
  ],
  [
    { $sum: 1, window: { range: [0, 1] } },
    'Location5339902',
    'Range-based bounds require sortBy a single field',
    FOUR,
    { t: 1, y: 1 },
  ],
  [
    { $sum: 1, window: { range: [0, 1] } },
    'Location8947401',
    'Range-based bounds require an ascending sortBy',
    FOUR,
    { t: -1 },
  ],
  [{ $rank: 1 }, 'Location5371603', "$rank must be specified with '{}' as the value"],
  [{ $rank: {}, window: {} }, 'Location5371601', 'Rank style window functions take no other arguments'],
  [
    { $rank: {} },
    'Location5371602',
    '$rank must be specified with a top level sortBy expression with exactly one element',
    FOUR,
    { t: 1, y: 1 },
  ],
  [{ $shift: { output: '$y' } }, 'FailedToParse', "$shift requires 'by' as an integer value."],
  [{ $shift: { by: 1 } }, 'FailedToParse', "$shift requires an 'output' expression."],
  [{ $derivative: { input: '$y' } }, 'FailedToParse', '$derivative requires explicit window bounds'],
  [{ $derivative: { input: '$y', unit: 'month' }, window: {} }, 'Location5490710', "unit must be 'week' or smaller"],
  [
    { $derivative: { input: '$y' }, window: {} },
    'Location5624901',
    "$derivative where the sortBy is a Date requires an 'unit'",
    [{ t: day(1), y: 1 }],
  ],
  [{ $expMovingAvg: { input: '$y', N: 0 } }, 'FailedToParse', "'N' must be greater than zero. Got 0"],
  [{ $locf: '$y', window: {} }, 'FailedToParse', "'window' field is not allowed in $locf"],
  [
    { $linearFill: '$y' },
    'Location6050106',
    'There can be no repeated values in the sort field',
    [
      { t: 1, y: 1 },
      { t: 1, y: 2 },
    ],
  ],
];

test.each(REFUSED)('%o is refused', async (operator, codeName, message, docs = FOUR, sortBy = { t: 1 }) => {
  await expect(run(docs, { sortBy, output: { r: operator } })).rejects.toMatchObject({ codeName, message });
});

test('bounds by documents need an order', async () => {
  await expect(run(FOUR, { output: { r: { $sum: 1, window: SLIDING } } })).rejects.toMatchObject({
    codeName: 'Location5339901',
    message: 'Document-based bounds require a sortBy',
  });
});
