import type { Doc, Value } from '../../bson/index.ts';
import { failedToParse } from '../error.ts';
import { compileExpression, type Expression, variableName } from '../expressions/index.ts';
import { checkedParts } from '../path.ts';
import type { QueryContext } from '../types.ts';
import { element, format, isDoc, typeName } from '../value.ts';
import { checkForeign } from './foreign.ts';
import { pipelineArgument } from './pipeline-argument.ts';

/** The argument of `$lookup`. */
export interface LookupSpec {
  /** Undefined where the pipeline makes its own documents. */
  readonly from: string | undefined;
  readonly as: string;
  readonly fields: { readonly local: string; readonly foreign: string } | undefined;
  readonly pipeline: readonly Doc[] | undefined;
  readonly variables: readonly Variable[];
}

/** One of `let`: its value is that of the expression for the document that is being joined. */
export interface Variable {
  readonly name: string;
  readonly expression: Expression;
}

/** Reads the argument in the order in which MongoDB looks at it. */
export function parseLookup(spec: Value, context: QueryContext & { readonly db: string }): LookupSpec {
  if (!isDoc(spec)) {
    throw failedToParse(`the $lookup stage specification must be an object, but found ${typeName(spec)}`);
  }
  const from = spec.has('from') ? collectionName(spec.get('from')) : undefined;
  if (from === undefined) checkOwnDocuments(spec.has('pipeline') ? pipelineArgument(spec.get('pipeline')) : undefined);
  else checkForeign('$lookup', context.db, from);
  let pipeline: Doc[] | undefined;
  let given: Doc | undefined;
  const texts = new Map<string, string>();
  for (const [name, value] of spec) {
    if (name === 'pipeline') pipeline = pipelineArgument(value);
    else if (name === 'let') {
      if (!isDoc(value)) {
        throw failedToParse(`$lookup argument '${element(name, value)}' must be an object, is type ${typeName(value)}`);
      }
      given = value;
    } else if (name === 'from') continue;
    else if (typeof value !== 'string') {
      throw failedToParse(
        `$lookup argument '${name}' must be a string, found ${element(name, value)}: ${typeName(value)}`,
      );
    } else if (name === 'as' || name === 'localField' || name === 'foreignField') texts.set(name, value);
    else throw failedToParse(`unknown argument to $lookup: ${name}`);
  }
  const [as, local, foreign] = ['as', 'localField', 'foreignField'].map((name) => texts.get(name) || undefined);
  if (as === undefined) throw failedToParse("must specify 'as' field for a $lookup");
  const fields = local !== undefined && foreign !== undefined ? { local, foreign } : undefined;
  if (!pipeline && !fields) {
    throw failedToParse("$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified");
  }
  if (!pipeline && given) throw failedToParse("$lookup with a 'let' argument must also specify 'pipeline'");
  if (!fields && (local !== undefined || foreign !== undefined)) {
    throw failedToParse("$lookup requires both or neither of 'localField' and 'foreignField' to be specified");
  }
  checkedParts(as);
  if (fields) {
    checkedParts(fields.local);
    checkedParts(fields.foreign);
  }
  const variables = [...(given ?? [])].map(([name, value]): Variable => {
    return { name: variableName(name), expression: compileExpression(value, context) };
  });
  return { from, as, fields, pipeline, variables };
}

function collectionName(value: Value): string {
  if (typeof value === 'string') return value;
  if (!isDoc(value)) throw failedToParse(`$lookup 'from' field must be a string, but found ${typeName(value)}`);
  const [db, coll] = ['db', 'coll'].map((key) => (value.has(key) ? format(value.get(key)).replaceAll('"', '') : ''));
  throw failedToParse(
    `$lookup with syntax {from: {db:<>, coll:<>},..} is not supported for db: ${db} and coll: ${coll}`,
  );
}

function checkOwnDocuments(pipeline: readonly Doc[] | undefined): void {
  if (!pipeline) throw failedToParse("must specify 'pipeline' when 'from' is empty");
  if (!pipeline[0]?.has('$documents')) {
    throw failedToParse(
      '$lookup stage without explicit collection must have a pipeline with $documents as first stage',
    );
  }
}
