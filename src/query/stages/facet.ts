import { inContext } from '../../base/index.ts';
import type { Doc } from '../../bson/index.ts';
import { located } from '../error.ts';
import { limitOf } from '../limits.ts';
import { checkedParts } from '../path.ts';
import { sizeOfValues } from '../size.ts';
import { element, isArray, isDoc, typeName } from '../value.ts';
import { collect, type StageCompiler, streamOf } from './stage.ts';

const NAMING = '$facet pipeline names must follow the naming rules of field path expressions.';

function checkName(name: string): void {
  if (name.includes('.')) {
    throw located(16412, "FieldPath field names may not contain '.'. Consider using $getField or $setField.");
  }
  checkedParts(name);
}

const tooLarge = (bytes: number, limit: number) =>
  located(4031700, `document constructed by $facet is ${bytes} bytes, which exceeds the limit of ${limit} bytes`);

/** `$facet`: several pipelines over the same documents, which are read once. */
export const facet: StageCompiler = (spec, env) => {
  if (!isDoc(spec) || spec.size === 0) {
    throw located(40169, `the $facet specification must be a non-empty object, but found: ${element('$facet', spec)}`);
  }
  const facets = [...spec].map(([name, stages]) => {
    inContext(NAMING, () => checkName(name));
    if (!isArray(stages)) {
      throw located(40170, `arguments to $facet must be arrays, ${name} is type ${typeName(stages)}`);
    }
    const pipeline = stages.map((stage, at): Doc => {
      if (isDoc(stage)) return stage;
      throw located(
        40171,
        `elements of arrays in $facet spec must be non-empty objects, ${name} argument contained an element of type ${typeName(stage)}: ${element(String(at), stage)}`,
      );
    });
    return { name, run: env.compile(pipeline, env.context) };
  });
  const limit = limitOf(env.context, 'facet');
  return async function* (source) {
    const docs = await collect(source);
    const result: Doc = new Map();
    let bytes = 0;
    for (const { name, run } of facets) {
      const found: Doc[] = [];
      for await (const batch of run(streamOf(docs))) {
        bytes += sizeOfValues(batch);
        if (bytes > limit) throw tooLarge(bytes, limit);
        found.push(...batch);
      }
      result.set(name, found);
    }
    yield [result];
  };
};
