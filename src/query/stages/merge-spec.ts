import { CodedError } from '../../base/index.ts';
import type { Doc, Value } from '../../bson/index.ts';
import { badValue, located, typeMismatch } from '../error.ts';
import { compileExpression, type Expression, variableName } from '../expressions/index.ts';
import { checkedParts } from '../path.ts';
import type { MergeSpec, QueryContext } from '../types.ts';
import { isArray, isDoc, typeName } from '../value.ts';
import { withoutNulls } from './idl.ts';
import { pipelineArgument } from './pipeline-argument.ts';
import { checkTarget, invalidTarget, isValidTarget, writeTarget } from './write-target.ts';

const WHEN_MATCHED = ['replace', 'keepExisting', 'merge', 'fail'] as const;
const WHEN_NOT_MATCHED = ['insert', 'discard', 'fail'] as const;
const FIELDS: ReadonlySet<string> = new Set(['into', 'on', 'let', 'whenMatched', 'whenNotMatched']);

/** The argument of `$merge`, with the expressions of its `let`. */
export interface ParsedMerge extends MergeSpec {
  readonly variables: readonly { readonly name: string; readonly expression: Expression }[];
}

export function parseMerge(spec: Value, context: QueryContext & { readonly db: string }): ParsedMerge {
  if (typeof spec !== 'string' && !isDoc(spec)) {
    throw typeMismatch(`$merge requires a string or object argument, but found ${typeName(spec)}`);
  }
  const given: Doc = typeof spec === 'string' ? new Map([['into', spec]]) : spec;
  for (const name of given.keys()) {
    if (!FIELDS.has(name)) throw new CodedError('IDLUnknownField', `BSON field '$merge.${name}' is an unknown field.`);
  }
  if (!given.has('into')) {
    throw new CodedError('IDLFailedToParse', "BSON field '$merge.into' is missing but a required field");
  }
  const into = typeof spec === 'string' ? { db: context.db, coll: spec } : targetOf(given.get('into'), context.db);
  const on = fieldsOf(given.get('on'));
  const matched = given.has('whenMatched') ? given.get('whenMatched') : 'merge';
  const whenMatched = isArray(matched) ? pipelineArgument(matched) : oneOf(WHEN_MATCHED, matched, 'whenMatched');
  const whenNotMatched = oneOf(WHEN_NOT_MATCHED, given.get('whenNotMatched') ?? 'insert', 'whenNotMatched');
  const mode = typeof whenMatched === 'string' ? whenMatched : 'pipeline';
  if (!isValidTarget(into)) throw invalidTarget(`Invalid $merge target namespace: '${into.db}.${into.coll}'`);
  if ((mode === 'fail' || mode === 'keepExisting') && whenNotMatched !== 'insert') {
    throw located(
      51181,
      `Combination of $merge modes 'whenMatched: ${mode}' and 'whenNotMatched: ${whenNotMatched}' is not supported`,
    );
  }
  for (const field of on) checkedParts(field);
  const twice = on.find((field, at) => on.indexOf(field) < at);
  if (twice !== undefined) throw located(31465, `Found a duplicate field '${twice}'`);
  checkTarget('$merge', into, { special: 31319, internal: 31320, cannot: 'Cannot' });
  return {
    into,
    on,
    whenMatched,
    whenNotMatched,
    variables: variablesOf(given.get('let') ?? undefined, mode, context),
  };
}

function targetOf(into: Value, db: string): { db: string; coll: string } {
  if (into === '') throw located(5786800, "$merge 'into' field cannot be an empty string");
  if (typeof into === 'string') return { db, coll: into };
  if (isDoc(into)) {
    const target = writeTarget('into', withoutNulls(into), db);
    if (target.coll !== '') return { ...target, db: target.db || db };
    throw located(5786801, "$merge 'into' field must specify a 'coll' that is not empty, null or undefined");
  }
  throw located(51178, `$merge 'into' field  must be either a string or an object, but found ${typeName(into)}`);
}

function oneOf<Name extends string>(names: readonly Name[], value: Value, field: string): Name {
  if (typeof value !== 'string') {
    if (field === 'whenMatched') {
      throw located(
        51191,
        `$merge 'whenMatched' field  must be either a string or an array, but found ${typeName(value)}`,
      );
    }
    throw typeMismatch(`BSON field '$merge.${field}' is the wrong type '${typeName(value)}', expected type 'string'`);
  }
  const found = names.find((name) => name === value);
  if (found) return found;
  // `whenMatched` is read apart from the rest, for it may be a pipeline.
  const label = field === 'whenMatched' ? field : `$merge.${field}`;
  throw badValue(`Enumeration value '${value}' for field '${label}' is not a valid value.`);
}

function fieldsOf(on: Value): string[] {
  if (on === undefined) return ['_id'];
  if (typeof on === 'string') return [on];
  if (!isArray(on)) {
    throw located(
      51186,
      `$merge 'on' field  must be either a string or an array of strings, but found ${typeName(on)}`,
    );
  }
  if (on.length === 0) throw located(51187, "If explicitly specifying $merge 'on', must include at least one field");
  const fields = on.map((field) => {
    if (typeof field === 'string') return field;
    throw located(51134, `$merge 'on' array elements must be strings, but found ${typeName(field)}`);
  });
  return fields;
}

function variablesOf(given: Value, mode: string, context: QueryContext): ParsedMerge['variables'] {
  if (given !== undefined && !isDoc(given)) {
    throw typeMismatch(`BSON field '$merge.let' is the wrong type '${typeName(given)}', expected type 'object'`);
  }
  if (mode !== 'pipeline') {
    if (!given) return [];
    throw located(51199, `Cannot use 'let' variables with 'whenMatched: ${mode}' mode`);
  }
  const variables: Doc = given ?? new Map();
  const own = variables.get('new');
  if (variables.has('new') && own !== '$$ROOT') {
    throw located(51273, `'let' may not define a value for the reserved 'new' variable other than '$$ROOT'`);
  }
  const all = variables.has('new') ? variables : new Map<string, Value>([...variables, ['new', '$$ROOT']]);
  return [...all].map(([name, value]) => ({ name: variableName(name), expression: compileExpression(value, context) }));
}

/** The values of `on` in a document that is to be merged. */
export function mergeKey(doc: Doc, on: readonly string[]): Doc {
  return new Map(
    on.map((path): [string, Value] => {
      let value: Value = doc;
      for (const part of path.split('.')) {
        value = isDoc(value) ? value.get(part) : undefined;
        if (isArray(value)) throw located(51185, `$merge write error: 'on' field '${path}' is an array`);
      }
      if (value === null || value === undefined) {
        throw located(51132, `$merge write error: 'on' field '${path}' cannot be missing, null or undefined`);
      }
      return [path, value];
    }),
  );
}
