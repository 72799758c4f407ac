import { CodedError } from '../../base/index.ts';
import type { Doc, Value } from '../../bson/index.ts';
import {
  type Engine,
  type Explained,
  type FindQuery,
  type Namespace,
  queryStages,
  type Verbosity,
} from '../../engine/index.ts';
import { deleteFields } from '../delete.ts';
import { type Fields, type Parsed, parseFields } from '../fields.ts';
import { findAndModifyFields } from '../find-and-modify.ts';
import { isGenericArgument } from '../generic.ts';
import type { Context, Request } from '../types.ts';
import { updateFields } from '../update.ts';
import { aggregateFields } from './aggregate-fields.ts';
import { aggregateSources } from './aggregate-sources.ts';
import { countFields, countQuery } from './count-query.ts';
import { DISTINCT_PATH, distinctFields, distinctQuery } from './distinct-query.ts';
import { FIND_PATH, findFields, findQuery } from './find-query.ts';
import { diskUse, queryContext } from './query.ts';

/** The query inside a command. */
export interface Explainable {
  readonly coll: string;
  /** The pipeline that it comes to on a view; undefined: a view refuses it. */
  readonly pipeline: readonly Doc[] | undefined;
  explain(engine: Engine, ns: Namespace, verbosity: Verbosity): Promise<Doc>;
}

type Reader = (command: Doc, request: Request, context: Context) => Explainable;

/** A command that reads. */
function reading(coll: string, query: FindQuery, kind: 'find' | 'count'): Explainable {
  return { ...asking(coll, query, { kind }), pipeline: queryStages(query) };
}

function asking(coll: string, query: FindQuery, explained: Explained): Explainable {
  return {
    coll,
    pipeline: undefined,
    explain: (engine, ns, verbosity) => engine.explain(ns, query, explained, verbosity),
  };
}

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  [
    'find',
    (command, request, context) => {
      const args = parse(findFields, command, FIND_PATH);
      return reading(args.find, findQuery(args, request, context), 'find');
    },
  ],
  [
    'count',
    (command, request, context) => {
      const args = parse(countFields, command, 'count');
      return reading(args.count, countQuery(args, request, context), 'count');
    },
  ],
  [
    'distinct',
    (command, request, context) => {
      const args = parse(distinctFields, command, DISTINCT_PATH);
      return reading(args.distinct, distinctQuery(args, request, context), 'find');
    },
  ],
  ['aggregate', explainAggregate],
  ['update', explainUpdate],
  ['delete', explainDelete],
  ['findAndModify', explainFindAndModify],
  ['findandmodify', explainFindAndModify],
]);

/** Reads the command that is to be explained. Throws for one that has no query. */
export function explainable(command: Doc, request: Request, context: Context): Explainable {
  const [name = ''] = command.keys();
  const read = READERS.get(name);
  if (!read) throw new CodedError('CommandNotFound', `Explain failed due to unknown command: ${name}`);
  return read(command, request, context);
}

function parse<F extends Fields>(fields: F, command: Doc, name: string): Parsed<F> {
  return parseFields(fields, command, name, isGenericArgument);
}

function explainAggregate(command: Doc, request: Request, context: Context): Explainable {
  const args = parse(aggregateFields, command, 'aggregate');
  const { aggregate: coll, pipeline, hint, collation, allowDiskUse } = args;
  const options = {
    read: request.generic.readConcern.read,
    context: queryContext(context, args.let),
    hint,
    allowDiskUse: diskUse(allowDiskUse, context),
    collation,
    sources: aggregateSources(context),
  };
  return {
    coll,
    pipeline,
    explain: (engine, ns, verbosity) => engine.explainPipeline(ns, pipeline, options, verbosity),
  };
}

function explainUpdate(command: Doc, request: Request, context: Context): Explainable {
  const args = parse(updateFields, command, 'update');
  const { q, u, c, multi, upsert, arrayFilters, hint, sort, collation } = onlyOne(args.updates);
  const statement = { filter: q, update: u, constants: c, multi, upsert, arrayFilters, hint, sort };
  const found = { filter: q, sort, hint, collation, limit: multi ? 0 : 1, let: args.let };
  return change(args.update, found, { kind: 'update', statement }, request, context);
}

function explainDelete(command: Doc, request: Request, context: Context): Explainable {
  const args = parse(deleteFields, command, 'delete');
  const { q, limit, hint, collation } = onlyOne(args.deletes);
  return change(
    args.delete,
    { filter: q, hint, collation, limit, let: args.let },
    { kind: 'delete' },
    request,
    context,
  );
}

function explainFindAndModify(command: Doc, request: Request, context: Context): Explainable {
  const [[, coll], ...fields] = [...command] as [[string, Value], ...[string, Value][]];
  const args = parse(findAndModifyFields, new Map([['findAndModify', coll], ...fields]), 'findAndModify');
  const { query = new Map(), sort, hint, collation, update, upsert, arrayFilters } = args;
  const found = { filter: query, sort, hint, collation, limit: 1, let: args.let };
  const name = args.findAndModify;
  if (args.remove || !update) return change(name, found, { kind: 'delete' }, request, context);
  const statement = { filter: query, update, multi: false, upsert, arrayFilters };
  return change(name, found, { kind: 'update', statement }, request, context);
}

function onlyOne<T>(statements: readonly T[]): T {
  const [statement] = statements;
  if (statement && statements.length === 1) return statement;
  throw new CodedError('Location6264501', 'explained write batches must be of size 1');
}

interface ToChange {
  readonly filter: Doc;
  readonly sort?: Doc | undefined;
  readonly hint?: string | Doc | undefined;
  readonly collation?: Doc | undefined;
  readonly limit: number;
  readonly let: Doc | undefined;
}

function change(coll: string, found: ToChange, explained: Explained, request: Request, context: Context): Explainable {
  const { let: variables, ...asked } = found;
  const { read } = request.generic.readConcern;
  const query = { ...asked, skip: 0, read, context: queryContext(context, variables) };
  return asking(coll, query, explained);
}
