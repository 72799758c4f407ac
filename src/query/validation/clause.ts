import { BSONRegExp, type Doc, type Value } from '../../bson/index.ts';
import { compileExpression, type Expression } from '../expressions/index.ts';
import { compileFilter, isExpressionDoc } from '../filter/index.ts';
import { type Path, parsePath } from '../path.ts';
import { parseSchema, type Schema } from '../schema/index.ts';
import type { QueryContext } from '../types.ts';
import { isArray, isDoc, truthy } from '../value.ts';

/** One condition of a validator, as its author wrote it. */
export type Clause = LeafClause | ExpressionClause | SchemaClause | NotClause | BranchClause;

interface ClauseBase {
  readonly operator: string;
  readonly specifiedAs: Doc;
  matches(doc: Doc): boolean;
}

export interface LeafClause extends ClauseBase {
  readonly kind: 'leaf';
  /** Undefined for what is about no field. */
  readonly path: Path | undefined;
  /** `$ne`, `$nin` and `{$exists: false}` tell why their opposite holds. */
  readonly inverse: boolean;
}

export interface ExpressionClause extends ClauseBase {
  readonly kind: 'expression';
  readonly evaluate: Expression;
}

export interface SchemaClause extends ClauseBase {
  readonly kind: 'schema';
  readonly schema: Schema;
}

/** `{path: {$not: ...}}`. */
export interface NotClause extends ClauseBase {
  readonly kind: 'not';
  readonly clauses: readonly Clause[];
}

export interface BranchClause extends ClauseBase {
  readonly kind: '$and' | '$or' | '$nor';
  /** What each branch asks for, all of which must hold. */
  readonly branches: readonly (readonly Clause[])[];
}

/** Takes a filter apart that `compileFilter` has accepted, in the order in which it was written. */
export function parseClauses(filter: Doc, context: QueryContext): Clause[] {
  return [...filter].flatMap(([name, operand]): Clause[] => {
    if (name === '$comment') return [];
    return name.startsWith('$') ? [documentClause(name, operand, context)] : fieldClauses(name, operand, context);
  });
}

function documentClause(name: string, operand: Value, context: QueryContext): Clause {
  const base = clauseOf(name, new Map([[name, operand]]), context);
  if (isArray(operand) && (name === '$and' || name === '$or' || name === '$nor')) {
    return { ...base, kind: name, branches: operand.filter(isDoc).map((each) => parseClauses(each, context)) };
  }
  if (name === '$expr') return { ...base, kind: 'expression', evaluate: compileExpression(operand, context) };
  if (name === '$jsonSchema' && isDoc(operand)) return { ...base, kind: 'schema', schema: parseSchema(operand) };
  return { ...base, kind: 'leaf', path: undefined, inverse: false };
}

function fieldClauses(path: string, operand: Value, context: QueryContext): Clause[] {
  if (operand instanceof BSONRegExp) return [leaf('$regex', path, operand, context)];
  if (!isExpressionDoc(operand)) return [leaf('$eq', path, operand, context)];
  return [...operand].flatMap(([name, inner]): Clause[] => {
    if (name === '$comment' || name === '$options') return [];
    if (name === '$not') {
      const base = clauseOf(name, new Map([[path, new Map([[name, inner]])]]), context);
      return [{ ...base, kind: 'not', clauses: fieldClauses(path, inner, context) }];
    }
    const written: Doc = new Map([[name, inner]]);
    if (name === '$regex' && operand.has('$options')) written.set('$options', operand.get('$options'));
    return [leaf(name, path, written, context)];
  });
}

const INVERSE: ReadonlySet<string> = new Set(['$ne', '$nin']);

function leaf(operator: string, path: string, written: Value, context: QueryContext): LeafClause {
  const denies = operator === '$exists' && isDoc(written) && !truthy(written.get('$exists'));
  return {
    ...clauseOf(operator, new Map([[path, written]]), context),
    kind: 'leaf',
    path: parsePath(path),
    inverse: INVERSE.has(operator) || denies,
  };
}

function clauseOf(operator: string, specifiedAs: Doc, context: QueryContext): ClauseBase {
  const filter = compileFilter(specifiedAs, context);
  return { operator, specifiedAs, matches: (doc) => filter.matches(doc) };
}
