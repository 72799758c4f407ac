import { CodedError } from '../../base/index.ts';
import type { Doc, Value } from '../../bson/index.ts';
import { located } from '../error.ts';
import { checkedParts, checkFieldName, resolvePath } from '../path.ts';
import type { QueryContext } from '../types.ts';
import { element, type Found, isArray, isDoc, MISSING, orNull } from '../value.ts';
import { arithmetic } from './arithmetic.ts';
import { arrays } from './array.ts';
import { arrayMapping } from './array-mapping.ts';
import { conversions } from './conversion.ts';
import { dates } from './date.ts';
import { dateArithmetic } from './date-arithmetic.ts';
import { dateMaking } from './date-making.ts';
import { functions } from './functions.ts';
import { logic } from './logic.ts';
import { objects } from './object.ts';
import { sets } from './set.ts';
import { strings } from './string.ts';
import { stringSearch } from './string-search.ts';
import { summaries } from './summary.ts';
import { sized } from './text-size.ts';
import { type Binding, type Compiler, constant, type Expression, folded, type Operators, type Scope } from './types.ts';
import { checkVariableRead } from './variable-name.ts';
import { variables } from './variables.ts';

export { bind, type Compiler, constantValue, type Expression, type Scope } from './types.ts';
export { variableName } from './variable-name.ts';
export { noScripts } from './variables.ts';

const OPERATORS: Operators = {
  ...arithmetic,
  ...arrayMapping,
  ...arrays,
  ...conversions,
  ...dateArithmetic,
  ...dateMaking,
  ...dates,
  ...functions,
  ...logic,
  ...objects,
  ...sets,
  ...strings,
  ...stringSearch,
  ...summaries,
  ...variables,
};

/** How deep an expression may nest, like MongoDB's limit on the depth of BSON. */
const MAX_DEPTH = 200;

/**
 * Compiles an aggregation expression. `names` are variables that the caller binds itself (`bind`). Throws for unknown
 * operators and variables; evaluation throws what the operators throw.
 */
export function compileExpression(value: Value, context: QueryContext, names: readonly string[] = []): Expression {
  return compilerFor(context, new Set(names), 0).compile(value);
}

/** The scope of a document at the top of an expression. */
export function rootScope(doc: Found): Scope {
  return { root: doc, current: doc, variables: undefined };
}

/** Whether a document is written as an operator rather than as a document of expressions. */
export function isOperatorDoc(doc: Doc): boolean {
  return doc.keys().next().value?.startsWith('$') === true;
}

/** Whether an operator of that name is known. */
export function isOperatorName(name: string): boolean {
  return Object.hasOwn(OPERATORS, name);
}

function compilerFor(context: QueryContext, names: ReadonlySet<string>, depth: number): Compiler {
  if (depth > MAX_DEPTH) throw new CodedError('Overflow', `an expression may not nest deeper than ${MAX_DEPTH} levels`);
  const compiler: Compiler = {
    context,
    compile: (value) => compileValue(value, compiler, names, compilerFor.bind(undefined, context, names, depth + 1)),
    binding: (...more) => compilerFor(context, new Set([...names, ...more]), depth + 1),
  };
  return compiler;
}

function compileValue(
  value: Value,
  compiler: Compiler,
  names: ReadonlySet<string>,
  deeper: () => Compiler,
): Expression {
  if (typeof value === 'string' && value.startsWith('$')) return compilePath(value, compiler.context, names);
  if (isArray(value)) {
    const items = value.map((item) => deeper().compile(item));
    return folded(items, (scope) => items.map((item) => orNull(item(scope))));
  }
  if (isDoc(value)) return compileDoc(value, deeper());
  return constant(typeof value === 'string' ? sized(value) : value);
}

function compileDoc(doc: Doc, compiler: Compiler): Expression {
  const name = doc.keys().next().value;
  if (name?.startsWith('$')) {
    if (doc.size > 1) {
      const shown = [...doc].map(([key, value]) => element(key, value)).join(', ');
      throw located(15983, `An object representing an expression must have exactly one field: { ${shown} }`);
    }
    return compileOperator(name, doc.get(name), compiler);
  }
  const fields: [string, Expression][] = [];
  for (const [key, value] of doc) {
    checkFieldName(key);
    fields.push([key, compiler.compile(value)]);
  }
  const parts = fields.map(([, expression]) => expression);
  return folded(parts, (scope) => {
    const result: Doc = new Map();
    for (const [key, expression] of fields) {
      const found = expression(scope);
      if (found !== MISSING) result.set(key, found);
    }
    return result;
  });
}

function compileOperator(name: string, operand: Value, compiler: Compiler): Expression {
  const operator = OPERATORS[name];
  if (operator && Object.hasOwn(OPERATORS, name)) return operator(operand, compiler, name);
  throw new CodedError('InvalidPipelineOperator', `Unrecognized expression '${name}'`);
}

/** `$a.b`, `$$name`, `$$name.a.b`. */
function compilePath(text: string, context: QueryContext, names: ReadonlySet<string>): Expression {
  if (text === '$') throw located(16872, "'$' by itself is not a valid FieldPath");
  if (!text.startsWith('$$')) {
    const parts = checkedParts(text.slice(1));
    return (scope) => resolvePath(scope.current, parts);
  }
  const [name = '', ...parts] = text.slice(2).split('.');
  checkVariableRead(name);
  checkedParts(text.slice(2));
  const start = compileVariable(name, context, names);
  return parts.length === 0 ? start : (scope) => resolvePath(start(scope), parts);
}

function compileVariable(name: string, context: QueryContext, names: ReadonlySet<string>): Expression {
  if (names.has(name) && name !== 'CURRENT') return (scope) => lookUp(scope.variables, name);
  switch (name) {
    case 'ROOT':
      return (scope) => scope.root;
    case 'CURRENT':
      return (scope) => scope.current;
    case 'NOW':
      return constant(context.now);
    case 'CLUSTER_TIME':
      if (!context.clusterTime) throw located(51144, `Builtin variable '$$${name}' is not available`);
      return constant(context.clusterTime);
    case 'USER_ROLES':
      // There are no users, so none has a role.
      return constant([]);
    case 'REMOVE':
    // What a search of Atlas would tell.
    case 'SEARCH_META':
      return constant(MISSING);
  }
  if (context.variables?.has(name)) {
    const { variables } = context;
    // Looked up when it is used: `$lookup` gives what it compiled once other values for each document.
    return () => variables.get(name);
  }
  throw located(17276, `Use of undefined variable: ${name}`);
}

function lookUp(binding: Binding | undefined, name: string): Found {
  for (let at = binding; at; at = at.outer) if (at.name === name) return at.value;
  return MISSING;
}
