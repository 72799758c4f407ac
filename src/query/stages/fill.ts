import type { Doc, Value } from '../../bson/index.ts';
import { located, typeMismatch } from '../error.ts';
import { compileExpression, rootScope } from '../expressions/index.ts';
import { carry, metadataOf } from '../metadata.ts';
import { toDouble } from '../number.ts';
import { resolvePath, withValue } from '../path.ts';
import { compileSort } from '../sort.ts';
import type { QueryContext } from '../types.ts';
import { type Found, format, isDoc, isNullish, isNumeric, MISSING } from '../value.ts';
import { checkFields, objectArgument, pathList, requireText, wrongType } from './idl.ts';
import { partitioned } from './partition.ts';
import { type StageCompiler, whole } from './stage.ts';

/** Fills one field in the documents of a partition, which stand in their order. */
type Filler = (docs: readonly Doc[]) => Doc[];

/** `$fill`: values for fields that are null or missing. */
export const fill: StageCompiler = (spec, { context }) => {
  const given = objectArgument('$fill', spec);
  checkFields('$fill', given, ['partitionBy', 'partitionByFields', 'sortBy', 'output'], ['output']);
  const output = given.get('output');
  if (!isDoc(output)) throw wrongType('$fill.output', output, 'object');
  if (output.size === 0) {
    throw located(6050203, "The output field in '$fill' must contain an object with at least one element");
  }
  const sortBy = given.get('sortBy');
  if (sortBy !== undefined && !isDoc(sortBy)) throw wrongType('$fill.sortBy', sortBy, 'object');
  if (given.has('partitionBy') && given.has('partitionByFields')) {
    throw located(6050204, "Maximum one of 'partitionBy' and 'partitionByFields can be specified in '$fill'");
  }
  const fillers = [...output].map(([name, how]) => compileFiller(name, how, sortBy, context));
  const by = given.has('partitionBy') ? compileExpression(given.get('partitionBy'), context) : undefined;
  const partitionBy = pathList('$fill.partitionByFields', given.get('partitionByFields'));
  const order = sortBy && compileSort(sortBy, context.collator);
  return whole((docs) => {
    const sorted = order ? docs.sort(order) : docs;
    return partitioned(sorted, partitionBy, context.collator, by).flatMap((members) =>
      fillers.reduce<readonly Doc[]>((filled, apply) => apply(filled), members),
    );
  });
};

function compileFiller(name: string, how: Value, sortBy: Doc | undefined, context: QueryContext): Filler {
  if (!isDoc(how)) {
    throw located(6050200, 'Each fill output specification must be an object with exactly one field');
  }
  checkFields('$fill', how, ['value', 'method'], []);
  if (how.has('value') === how.has('method')) {
    throw located(
      6050201,
      "Each fill output specification must have exactly one of 'method' or 'value' fields, not both",
    );
  }
  const path = name.split('.');
  const read = (doc: Doc) => resolvePath(doc, path);
  const write = (doc: Doc, value: Found) => carry(withValue(doc, path, value), metadataOf(doc));
  if (how.has('value')) {
    const value = compileExpression(how.get('value'), context);
    return (docs) => docs.map((doc) => (isNullish(read(doc)) ? write(doc, value(rootScope(doc))) : doc));
  }
  const method = requireText('$fill.method', how.get('method'));
  if (method !== 'locf' && method !== 'linear') throw located(6050202, 'Method must be either locf or linear');
  if (method === 'locf') return carryForward(read, write);
  const key = sortBy?.size === 1 ? sortBy.keys().next().value : undefined;
  if (key === undefined) {
    throw located(605001, '$linearFill must be specified with a top level sortBy expression with exactly one element');
  }
  const at = compileExpression(`$${key}`, context);
  return (docs) => interpolate(docs, read, (doc) => at(rootScope(doc)), write);
}

function carryForward(read: (doc: Doc) => Found, write: (doc: Doc, value: Found) => Doc): Filler {
  return (docs) => {
    let last: Found = null;
    return docs.map((doc) => {
      const value = read(doc);
      if (isNullish(value)) return write(doc, last);
      last = value;
      return doc;
    });
  };
}

/** Straight lines between the values on either side; nothing beyond the first and the last. */
function interpolate(
  docs: readonly Doc[],
  read: (doc: Doc) => Found,
  at: (doc: Doc) => Found,
  write: (doc: Doc, value: Found) => Doc,
): Doc[] {
  const filled = [...docs];
  let left = -1;
  let previous: number | undefined;
  for (const [right, doc] of docs.entries()) {
    const x = placeOf(at(doc));
    if (previous !== undefined && x === previous) {
      throw located(6050106, 'There can be no repeated values in the sort field');
    }
    previous = x;
    const value = read(doc);
    if (isNullish(value)) {
      filled[right] = write(doc, null);
      continue;
    }
    const y1 = numberOf(value);
    for (let between = left + 1; left >= 0 && between < right; between++) {
      const [x0, y0] = [placeOf(at(docs[left]!)), numberOf(read(docs[left]!))];
      filled[between] = write(docs[between]!, y0 + ((y1 - y0) * (placeOf(at(docs[between]!)) - x0)) / (x - x0));
    }
    left = right;
  }
  return filled;
}

function numberOf(value: Found): number {
  if (value !== MISSING && isNumeric(value)) return toDouble(value);
  throw typeMismatch(`Value to be filled must be numeric or nullish, but was ${format(value)}`);
}

function placeOf(value: Found): number {
  if (value instanceof Date) return value.getTime();
  if (value !== MISSING && isNumeric(value)) return toDouble(value);
  throw typeMismatch(`$linearFill sortBy field must be numeric or a date, but found ${format(value)}`);
}
