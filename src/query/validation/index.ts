/** Why documents fail a collection's validator: `clause.ts` takes it apart, `explain.ts` and `schema.ts` tell what failed. */
import type { Doc } from '../../bson/index.ts';
import { checkInValidator, compileFilter } from '../filter/index.ts';
import type { QueryContext } from '../types.ts';
import { parseClauses } from './clause.ts';
import { explainAll } from './explain.ts';
import { failureOf } from './failure.ts';

export interface Validator {
  matches(doc: Doc): boolean;
  /** Why the document does not match, in the shape of MongoDB's `errInfo`. */
  explain(doc: Doc): Doc;
}

/** Compiles a validator. Throws what `compileFilter` throws, and what it needs more than a document for is refused. */
export function compileValidator(source: Doc, context: QueryContext): Validator {
  checkInValidator(source);
  const filter = compileFilter(source, context);
  const clauses = parseClauses(source, context);
  return {
    matches: (doc) => filter.matches(doc),
    explain: (doc) => failureOf(doc, explainAll(clauses, doc) ?? new Map()),
  };
}
