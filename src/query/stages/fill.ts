import type { Doc, Value } from '../../bson/index.ts';
import { located, typeMismatch } from '../error.ts';
import { isDoc, typeName } from '../value.ts';
import { checkFields, objectArgument, pathList, requireText, withoutNulls, wrongType } from './idl.ts';
import type { StageCompiler } from './stage.ts';

/** `$fill`: values for fields that are null or missing, by the stages that MongoDB makes of it. */
export const fill: StageCompiler = (spec, env) => env.compile(filling(spec), env.context);

/** A `$setWindowFields` where a method asks the neighbours, and an `$addFields` for values: it alone neither parts nor sorts. */
export function filling(argument: Value): Doc[] {
  const spec = withoutNulls(objectArgument('$fill', argument), ['partitionBy']);
  checkFields('$fill', spec, ['partitionBy', 'partitionByFields', 'sortBy', 'output'], ['output']);
  const [output, sortBy] = [objectField(spec, 'output'), spec.has('sortBy') ? objectField(spec, 'sortBy') : undefined];
  const partitionBy = partitionOf(spec);
  if (output.size === 0) {
    throw located(6050203, "The output field in '$fill' must contain an object with at least one element");
  }
  const [windows, values]: [Doc, Doc] = [new Map(), new Map()];
  for (const [name, given] of output) {
    if (!isDoc(given)) {
      throw located(6050200, 'Each fill output specification must be an object with exactly one field');
    }
    const how = withoutNulls(given, ['value']);
    checkFields('$fill', how, ['value', 'method'], []);
    if (how.has('method')) windows.set(name, new Map([[methodOf(how), `$${name}`]]));
    else if (how.has('value')) values.set(name, new Map([['$ifNull', [`$${name}`, how.get('value')]]]));
  }
  if (spec.has('partitionBy') && spec.has('partitionByFields')) {
    throw located(6050204, "Maximum one of 'partitionBy' and 'partitionByFields can be specified in '$fill'");
  }
  const stages: Doc[] = [];
  if (windows.size > 0) {
    const window: Doc = new Map([['output', windows]]);
    if (sortBy) window.set('sortBy', sortBy);
    if (partitionBy !== undefined) window.set('partitionBy', partitionBy);
    stages.push(new Map([['$setWindowFields', window]]));
  }
  if (values.size > 0) stages.push(new Map([['$addFields', values]]));
  return stages;
}

function objectField(spec: Doc, name: string): Doc {
  const value = spec.get(name);
  if (isDoc(value)) return value;
  throw wrongType(`$fill.${name}`, value, 'object');
}

function partitionOf(spec: Doc): Value {
  const fields = pathList('$fill.partitionByFields', spec.get('partitionByFields'));
  if (spec.has('partitionByFields')) return new Map(fields.map((name) => [name, `$${name}`]));
  const by = spec.get('partitionBy');
  if (!spec.has('partitionBy') || typeof by === 'string' || isDoc(by)) return by;
  throw typeMismatch(
    `BSON field '$fill.partitionBy' is the wrong type '${typeName(by)}', expected types '[string, object]'`,
  );
}

function methodOf(how: Doc): string {
  const method = requireText('$fill.method', how.get('method'));
  if (how.has('value')) {
    throw located(
      6050201,
      "Each fill output specification must have exactly one of 'method' or 'value' fields, not both",
    );
  }
  if (method !== 'locf' && method !== 'linear') throw located(6050202, 'Method must be either locf or linear');
  return method === 'locf' ? '$locf' : '$linearFill';
}
