import { CodedError } from '../../base/index.ts';
import { type Doc, encodeKey, type Value } from '../../bson/index.ts';
import { failedToParse, located } from '../error.ts';
import { compileExpression, rootScope } from '../expressions/index.ts';
import { compileFilter } from '../filter/index.ts';
import { limitOf } from '../limits.ts';
import { carry, metadataOf } from '../metadata.ts';
import { clampedLong, toDouble } from '../number.ts';
import { checkedParts, resolvePath, withValue } from '../path.ts';
import { sizeOfValue } from '../size.ts';
import type { QueryContext } from '../types.ts';
import { type Found, format, isArray, isDoc, isNumeric, MISSING, typeName } from '../value.ts';
import { Candidates } from './candidates.ts';
import { checkForeign } from './foreign.ts';
import { type StageCompiler, within } from './stage.ts';

/** `$graphLookup`: breadth first, a step for each depth. */
export const graphLookup: StageCompiler = (spec, env) => {
  const { from, as, connectFrom, connectTo, startWith, maxDepth, depthField, restrict } = parse(spec, env.context);
  const start = compileExpression(startWith, env.context);
  const foreign = env.context.foreign(from);
  const context = within(env.context, from, foreign);
  const limit = limitOf(env.context, 'graphLookup');
  return async function* (source) {
    const candidates = new Candidates(foreign, connectTo, context, restrict);
    for await (const batch of source) {
      const reached: Doc[] = [];
      for (const doc of batch) reached.push(carry(withValue(doc, as, await reach(doc)), metadataOf(doc)));
      yield reached;
    }

    async function reach(doc: Doc): Promise<Doc[]> {
      let held = 0;
      const found = new Map<string, Doc>();
      const asked = new Set<string>();
      const key = (value: Value) => encodeKey(value, false, context.collator);
      let frontier = valuesOf(start(rootScope(doc)));
      for (let depth = 0; depth <= maxDepth && frontier.length > 0; depth++) {
        const wanted = new Map(frontier.map((value) => [key(value), value]));
        for (const known of asked) wanted.delete(known);
        for (const each of wanted.keys()) asked.add(each);
        if (wanted.size === 0) break;
        const values = [...wanted.values()];
        await candidates.prepare(values);
        frontier = [];
        for (const other of candidates.find(values)) {
          if (!other.has('_id')) {
            throw located(
              40271,
              `Documents in the '${context.db}.${from}' namespace must contain an _id for de-duplication in $graphLookup`,
            );
          }
          const id = key(other.get('_id'));
          if (found.has(id)) continue;
          held += sizeOfValue(other);
          if (held > limit) throw located(40099, '$graphLookup reached maximum memory consumption');
          found.set(id, depthField ? withValue(other, depthField, BigInt(depth)) : other);
          frontier.push(...valuesOf(resolvePath(other, connectFrom)));
        }
      }
      return [...found.values()];
    }
  };
};

interface GraphSpec {
  readonly from: string;
  readonly as: readonly string[];
  readonly connectFrom: readonly string[];
  readonly connectTo: string;
  readonly startWith: Value;
  readonly maxDepth: number;
  readonly depthField: readonly string[] | undefined;
  readonly restrict: Doc | undefined;
}

const TEXTS: ReadonlySet<string> = new Set(['from', 'as', 'connectFromField', 'connectToField', 'depthField']);

function parse(spec: Value, context: QueryContext & { readonly db: string }): GraphSpec {
  if (!isDoc(spec)) {
    throw failedToParse(`the $graphLookup stage specification must be an object, but found ${typeName(spec)}`);
  }
  const from = spec.get('from');
  if (!spec.has('from')) {
    throw failedToParse(`missing 'from' option to $graphLookup stage specification: ${format(spec)}`);
  }
  if (typeof from !== 'string') {
    throw failedToParse(`$graphLookup 'from' field must be a string, but found ${typeName(from)}`);
  }
  checkForeign('$graphLookup', context.db, from);
  let maxDepth = Number.POSITIVE_INFINITY;
  let restrict: Doc | undefined;
  const texts = new Map<string, string>();
  for (const [name, value] of spec) {
    if (name === 'startWith') continue;
    if (name === 'maxDepth') maxDepth = depthOf(value);
    else if (name === 'restrictSearchWithMatch') restrict = restriction(value, context);
    else if (!TEXTS.has(name)) throw located(40104, `Unknown argument to $graphLookup: ${name}`);
    else if (typeof value === 'string') {
      texts.set(name, value);
      if (name === 'depthField') checkedParts(value);
    } else throw located(40103, `expected string as argument for ${name}, found: ${typeName(value)}`);
  }
  const [as, connectFrom, connectTo] = ['as', 'connectFromField', 'connectToField'].map((name) => texts.get(name));
  if (!from || !as || !connectFrom || !connectTo || !spec.has('startWith')) {
    throw located(
      40105,
      "$graphLookup requires 'from', 'as', 'startWith', 'connectFromField', and 'connectToField' to be specified.",
    );
  }
  const paths = { as: checkedParts(as), connectFrom: checkedParts(connectFrom) };
  checkedParts(connectTo);
  return {
    from,
    ...paths,
    connectTo,
    startWith: spec.get('startWith'),
    maxDepth,
    depthField: texts.get('depthField')?.split('.'),
    restrict,
  };
}

function depthOf(value: Value): number {
  if (!isNumeric(value)) throw located(40100, `maxDepth must be numeric, found type: ${typeName(value)}`);
  const depth = clampedLong(value);
  if (depth < 0n) throw located(40101, `maxDepth requires a nonnegative argument, found: ${depth}`);
  if (Number(depth) !== toDouble(value)) {
    throw located(40102, `maxDepth could not be represented as a long long: ${depth}`);
  }
  return Number(depth);
}

function restriction(value: Value, context: QueryContext): Doc {
  if (!isDoc(value)) throw located(40185, `restrictSearchWithMatch must be an object, found ${typeName(value)}`);
  try {
    compileFilter(value, context);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const message = `Failed to parse 'restrictSearchWithMatch' option to $graphLookup :: caused by :: ${error.message}`;
    throw new CodedError(error.codeName, message);
  }
  return value;
}

/** An array stands for its elements; what is missing leads nowhere. */
function valuesOf(value: Found): Value[] {
  if (value === MISSING) return [];
  return isArray(value) ? value : [value];
}
