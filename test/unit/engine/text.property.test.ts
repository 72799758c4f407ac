import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Doc, doc } from '../../../src/bson/index.ts';
import { TextSearch, textDefinition } from '../../../src/text/index.ts';
import { NS, Stage } from './stage.ts';

const word = fc.constantFrom('cake', 'Cakes', 'tea', 'the', 'café', 'cafe', 'running', 'ran', "shop's", 'Shop', 'x-y');
const sentence = fc.array(word, { maxLength: 6 }).map((words) => words.join(' '));
const texts = fc.oneof(sentence, fc.array(sentence, { maxLength: 3 }), fc.integer());
const language = fc.option(fc.constantFrom('none', 'french', 'en'), { nil: undefined });
const nested = fc.record({ b: texts, language }, { requiredKeys: ['b'] });
const document = fc
  .record({
    t: texts,
    a: fc.oneof(nested, fc.array(nested, { maxLength: 2 })),
    k: fc.integer({ min: 0, max: 1 }),
    language,
  })
  .map((each) => JSON.parse(JSON.stringify(each)) as object);
const index = fc.constantFrom<{ key: object; weights?: object; default_language?: string }>(
  { key: { t: 'text' } },
  { key: { t: 'text', 'a.b': 'text' }, weights: { t: 10 } },
  { key: { '$**': 'text' }, weights: { t: 3 } },
  { key: { k: 1, t: 'text' } },
  { key: { t: 'text', k: -1 }, default_language: 'none' },
);
const asked = fc.record({
  search: fc
    .array(
      fc.oneof(
        word,
        word.map((each) => `-${each}`),
        fc.tuple(word, word).map((pair) => `"${pair.join(' ')}"`),
      ),
      { maxLength: 4 },
    )
    .map((parts) => parts.join(' ')),
  caseSensitive: fc.boolean(),
  diacriticSensitive: fc.boolean(),
});

const ids = (docs: readonly Doc[]) => docs.map((each) => Number(each.get('_id'))).sort();

test('what an index finds is what a look at every document finds, with its score', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(document, { minLength: 1, maxLength: 12 }),
      index,
      fc.array(asked, { minLength: 1, maxLength: 6 }),
      async (documents, definition, searches) => {
        const stage = await Stage.open();
        // Half of them are there before the index, and some change after.
        const half = documents.length >> 1;
        const numbered = documents.map((each, n) => ({ _id: n, ...each }));
        await stage.insert(numbered.slice(0, half));
        await stage.run(stage.engine.createIndexes(NS, [doc({ name: 'words', ...definition })]));
        await stage.insert(numbered.slice(half));
        await stage.update({ _id: 0 }, { $set: { t: 'tea cake' } });
        const spec = stage.engine.collection(NS)!.indexes.find(({ name }) => name === 'words')!.spec;
        const all = await stage.find();
        for (const options of searches) {
          const search = new TextSearch(textDefinition(spec), options);
          const { caseSensitive: $caseSensitive, diacriticSensitive: $diacriticSensitive } = options;
          const $text = { $search: options.search, $caseSensitive, $diacriticSensitive };
          const filter = { $text, k: { $eq: 1 } };
          const expected = all.filter((each) => search.matches(each) && Number(each.get('k')) === 1);
          const found = await stage.find(filter, {
            projection: doc({ score: { $meta: 'textScore' } }),
            sort: doc({ score: { $meta: 'textScore' } }),
          });
          expect(ids(found), JSON.stringify($text)).toEqual(ids(expected));
          const scores = found.map((each) => each.get('score') as number);
          expect(scores).toEqual([...scores].sort((left, right) => right - left));
          for (const each of found) {
            const stored = all.find((other) => Number(other.get('_id')) === Number(each.get('_id')))!;
            expect(each.get('score')).toBe(search.score(stored));
          }
        }
      },
    ),
    { numRuns: 100 },
  );
}, 60_000);
