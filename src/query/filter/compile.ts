import type { CodedError } from '../../base/index.ts';
import { BSONRegExp, Code, type Doc, MAX_DEPTH, type Value } from '../../bson/index.ts';
import { badValue, failedToParse, located, typeMismatch } from '../error.ts';
import { compileExpression, rootScope } from '../expressions/index.ts';
import { exactOperand } from '../integer.ts';
import { toDouble } from '../number.ts';
import { docOf, type Path, parsePath } from '../path.ts';
import { fits, parseSchema } from '../schema/index.ts';
import type { QueryContext } from '../types.ts';
import { format, isArray, isDoc, isNumeric, truthy } from '../value.ts';
import { type BitTest, testsBits } from './bits.ts';
import { equals, isExpressionDoc, isIn, matchesRegex, type Range, range } from './comparison.ts';
import { exists, hasRemainder, hasSize, hasType } from './element.ts';
import { isInRegion, isNear } from './geo.ts';
import {
  all,
  conjunction,
  type Details,
  disjunction,
  leaf,
  type Matcher,
  negation,
  not,
  type Predicate,
} from './predicate.ts';
import { textSearch } from './text.ts';
import { isNearCondition } from './tree.ts';

/** Where in a filter the parser stands: some operators are for whole documents only. */
type Level = 'document' | 'element';

export function compileMatcher(filter: Doc, context: QueryContext): Matcher {
  return documentMatcher(filter, context, 'document');
}

function documentMatcher(filter: Doc, context: QueryContext, level: Level): Matcher {
  const matchers: Matcher[] = [];
  for (const [name, operand] of filter) {
    if (!name.startsWith('$')) matchers.push(condition(operand, name, context).at(filterPath(name)));
    else if (name !== '$comment') matchers.push(topLevel(name, operand, context, level));
  }
  return conjunction(matchers);
}

/** As many parts as documents may nest. */
function filterPath(text: string): Path {
  const path = parsePath(text);
  if (path.parts.length > MAX_DEPTH) throw located(5729100, 'FieldPath is too long');
  return path;
}

const TOP_LEVEL_ONLY: ReadonlySet<string> = new Set(['$expr', '$where', '$text', '$sampleRate']);

function topLevel(name: string, operand: Value, context: QueryContext, level: Level): Matcher {
  if (level === 'element' && TOP_LEVEL_ONLY.has(name)) {
    throw badValue(`${name} can only be applied to the top-level document`);
  }
  switch (name) {
    case '$and':
      return conjunction(branches(name, operand, context, level));
    case '$or':
      return disjunction(branches(name, operand, context, level));
    case '$nor':
      return negation(disjunction(branches(name, operand, context, level)));
    case '$expr': {
      const evaluate = compileExpression(operand, context);
      return (doc) => truthy(evaluate(rootScope(docOf(doc))));
    }
    case '$alwaysTrue':
    case '$alwaysFalse':
      if (exactOperand(name, operand) !== 1n) throw failedToParse(`${name} must be an integer value of 1`);
      return () => name === '$alwaysTrue';
    // Within `$elemMatch` a document of these stands for conditions on a DBRef's fields.
    case '$ref':
    case '$id':
    case '$db':
      return condition(operand, name, context).at(parsePath(name));
    case '$sampleRate':
      return sampleRate(operand, context);
    case '$text': {
      if (level === 'element') throw badValue('$text can only be applied to the top-level document');
      const search = textSearch(operand, context);
      return (doc) => search.matches(docOf(doc));
    }
    case '$where':
      throw noScripting(operand);
    case '$jsonSchema': {
      if (!isDoc(operand)) throw typeMismatch('$jsonSchema must be an object');
      const schema = parseSchema(operand);
      return (doc) => fits(docOf(doc), schema);
    }
  }
  const hint =
    name === '$not'
      ? 'If you are trying to negate an entire expression, use $nor.'
      : "If you have a field name that starts with a '$' symbol, consider using $getField or $setField.";
  throw badValue(`unknown top level operator: ${name}. ${hint}`);
}

/** What a server started with server-side JavaScript off says of `$where`. */
function noScripting(operand: Value): CodedError {
  if (typeof operand !== 'string' && !(operand instanceof Code)) return badValue('$where got bad type');
  return located(6108304, 'no globalScriptEngine in $where parsing');
}

function branches(name: string, operand: Value, context: QueryContext, level: Level): Matcher[] {
  if (!isArray(operand)) throw badValue(`${name} must be an array`);
  if (operand.length === 0) throw badValue('$and/$or/$nor must be a nonempty array');
  return operand.map((entry) => {
    if (!isDoc(entry)) throw badValue('$or/$and/$nor entries need to be full objects');
    return documentMatcher(entry, context, level);
  });
}

function sampleRate(operand: Value, context: QueryContext): Matcher {
  if (!isNumeric(operand)) throw badValue('argument to $sampleRate must be a numeric type');
  const rate = toDouble(operand);
  if (!(rate >= 0 && rate <= 1)) throw badValue('numeric argument to $sampleRate must be in [0, 1]');
  return () => context.random() < rate;
}

function condition(operand: Value, path: string, context: QueryContext): Predicate {
  if (operand instanceof BSONRegExp) return matchesRegex(operand);
  return isExpressionDoc(operand) ? operators(operand, path, context) : equals(operand, context.collator);
}

function operators(doc: Doc, path: string, context: QueryContext): Predicate {
  if (isNearCondition(doc)) return isNear(doc, path, context);
  const predicates: Predicate[] = [];
  for (const [name, operand] of doc) {
    const predicate = operator(name, operand, doc, path, context);
    if (predicate) predicates.push(predicate);
  }
  return all(predicates);
}

/** Undefined for what means nothing by itself: `$options` beside `$regex`. */
function operator(name: string, operand: Value, doc: Doc, path: string, context: QueryContext): Predicate | undefined {
  switch (name) {
    case '$eq':
      return equals(operand, context.collator);
    case '$ne':
      if (operand instanceof BSONRegExp) throw badValue("Can't have regex as arg to $ne.");
      return not(equals(operand, context.collator));
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return range(name satisfies Range, operand, path, context.collator);
    case '$in':
      return isIn(operand, name, context.collator);
    case '$nin':
      return not(isIn(operand, name, context.collator));
    case '$not':
      return negated(operand, path, context);
    case '$exists':
      return exists(operand);
    case '$type':
      return hasType(operand, path);
    case '$size':
      return hasSize(operand);
    case '$mod':
      return hasRemainder(operand);
    case '$regex':
      return regexOperator(doc);
    case '$options':
      if (!doc.has('$regex')) throw badValue('$options needs a $regex');
      return undefined;
    case '$elemMatch':
      return elementMatch(operand, context);
    case '$all':
      return allOf(operand, context);
    case '$bitsAllSet':
    case '$bitsAllClear':
    case '$bitsAnySet':
    case '$bitsAnyClear':
      return testsBits(name satisfies BitTest, operand, path);
    case '$where':
      throw badValue('$where cannot be applied to a field');
    case '$near':
    case '$nearSphere':
    case '$geoNear':
      throw badValue(`near must be first in: ${format(doc)}`);
    case '$geoWithin':
    case '$within':
      return isInRegion('$geoWithin', doc);
    case '$geoIntersects':
      return isInRegion(name, doc);
  }
  throw badValue(`unknown operator: ${name}`);
}

function negated(operand: Value, path: string, context: QueryContext): Predicate {
  if (operand instanceof BSONRegExp) return not(matchesRegex(operand));
  if (!isDoc(operand)) throw badValue('$not needs a regex or a document');
  if (operand.size === 0) throw badValue('$not cannot be empty');
  return not(operators(operand, path, context));
}

/** `$regex` and `$options` in either order; options come from one of the two. */
function regexOperator(operators: Doc): Predicate {
  let pattern = '';
  let options = '';
  for (const [name, operand] of operators) {
    if (name === '$regex') {
      if (typeof operand !== 'string' && !(operand instanceof BSONRegExp)) throw badValue('$regex has to be a string');
      pattern = typeof operand === 'string' ? operand : operand.pattern;
      if (typeof operand === 'string' || !operand.options) continue;
      if (options) throw located(51074, 'options set in both $regex and $options');
      options = operand.options;
    } else if (name === '$options') {
      if (typeof operand !== 'string') throw badValue('$options has to be a string');
      if (options) throw located(51075, 'options set in both $regex and $options');
      options = operand;
    }
  }
  return matchesRegex({ pattern, options });
}

const PATHLESS: ReadonlySet<string> = new Set([
  '$and',
  '$or',
  '$nor',
  '$expr',
  '$where',
  '$text',
  '$comment',
  '$jsonSchema',
  '$sampleRate',
  '$alwaysTrue',
  '$alwaysFalse',
]);
const DBREF_FIELDS = ['$ref', '$id', '$db'];

/** Whether an `$elemMatch` is about the elements themselves, and not about fields of documents among them. */
export function isOnValues(operand: Doc): boolean {
  if (!isExpressionDoc(operand) || DBREF_FIELDS.some((name) => operand.has(name))) return false;
  return !PATHLESS.has(operand.keys().next().value!);
}

function elementMatch(operand: Value, context: QueryContext): Predicate {
  if (!isDoc(operand)) throw badValue('$elemMatch needs an Object');
  if (isOnValues(operand)) {
    const predicate = operators(operand, '', context);
    return matchElements((item) => predicate.single(item));
  }
  const matcher = documentMatcher(operand, context, 'element');
  return matchElements((item) => {
    if (isDoc(item)) return matcher(item, undefined);
    // An array among the elements counts as a document of its indexes.
    return isArray(item) && matcher(new Map(item.map((value, index) => [String(index), value])), undefined);
  });
}

function matchElements(test: (item: Value) => boolean): Predicate {
  return leaf(
    (value, details?: Details) => {
      if (!isArray(value)) return false;
      const index = value.findIndex(test);
      if (index >= 0 && details) details.positional = index;
      return index >= 0;
    },
    { spread: false },
  );
}

function allOf(operand: Value, context: QueryContext): Predicate {
  if (!isArray(operand)) throw badValue('$all needs an array');
  if (operand.length === 0) return leaf(() => false);
  const first = operand[0];
  if (isDoc(first) && first.keys().next().value === '$elemMatch') {
    return all(
      operand.map((item) => {
        if (!isDoc(item) || item.keys().next().value !== '$elemMatch') {
          throw badValue('$all/$elemMatch has to be consistent');
        }
        return elementMatch(item.get('$elemMatch'), context);
      }),
    );
  }
  return all(
    operand.map((item) => {
      if (isExpressionDoc(item)) throw badValue('no $ expressions in $all');
      return item instanceof BSONRegExp ? matchesRegex(item) : equals(item, context.collator);
    }),
  );
}
