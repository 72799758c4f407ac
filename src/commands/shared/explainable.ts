import { CodedError } from '../../base/index.ts';
import { type Doc, doc, type Value } from '../../bson/index.ts';
import { type Explained, type FindQuery, planPipeline } from '../../engine/index.ts';
import { checkPipeline, startsPipeline } from '../../query/index.ts';
import { deleteFields } from '../delete.ts';
import { type Fields, type Parsed, parseFields } from '../fields.ts';
import { findAndModifyFields } from '../find-and-modify.ts';
import { isGenericArgument } from '../generic.ts';
import type { Context, Request } from '../types.ts';
import { updateFields } from '../update.ts';
import { aggregateFields } from './aggregate-fields.ts';
import { countFields, countQuery } from './count-query.ts';
import { DISTINCT_PATH, distinctFields, distinctQuery } from './distinct-query.ts';
import { FIND_PATH, findFields, findQuery } from './find-query.ts';
import { queryContext } from './query.ts';

/** The query inside a command, what is done with what it finds, and how its plan is shown. */
export interface Explainable {
  readonly coll: string;
  readonly query: FindQuery;
  readonly explained: Explained;
  /** Of an aggregate: all of its stages. */
  readonly pipeline?: readonly Doc[];
  shape(plan: Doc): Doc;
}

type Reader = (command: Doc, request: Request, context: Context) => Explainable;

const asIs = (plan: Doc) => plan;
const FIND = { explained: { kind: 'find' }, shape: asIs } as const;

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  [
    'find',
    (command, request, context) => {
      const args = parse(findFields, command, FIND_PATH);
      return { coll: args.find, query: findQuery(args, request, context), ...FIND };
    },
  ],
  [
    'count',
    (command, request, context) => {
      const args = parse(countFields, command, 'count');
      return { coll: args.count, query: countQuery(args, request, context), explained: { kind: 'count' }, shape: asIs };
    },
  ],
  [
    'distinct',
    (command, request, context) => {
      const args = parse(distinctFields, command, DISTINCT_PATH);
      return { coll: args.distinct, query: distinctQuery(args, request, context), ...FIND };
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
  checkPipeline(args.pipeline);
  const { read } = request.generic.readConcern;
  const given = { hint: args.hint, collation: args.collation, read, context: queryContext(context, args.let) };
  const { query, rest } = planPipeline(args.pipeline, given);
  const { aggregate: coll, pipeline } = args;
  if (rest.length === 0) return { coll, query, pipeline, ...FIND };
  const shape = (plan: Doc): Doc => {
    const { explainVersion, ...shown } = Object.fromEntries(plan);
    const cursor = startsPipeline(args.pipeline) ? [] : [doc({ $cursor: doc(shown) })];
    return doc({ explainVersion, stages: [...cursor, ...(isByDistinctScan(plan) ? groupedByScan(rest) : rest)] });
  };
  return { coll, query, pipeline, explained: FIND.explained, shape };
}

function isByDistinctScan(plan: Doc): boolean {
  const planner = plan.get('queryPlanner') as Doc;
  const input = (planner.get('winningPlan') as Doc).get('inputStage');
  return input instanceof Map && input.get('stage') === 'DISTINCT_SCAN';
}

/** The stages behind a scan that finds one document of each group: the `$group` in front makes it into the group. */
function groupedByScan([group, ...rest]: readonly Doc[]): Doc[] {
  return [doc({ $groupByDistinctScan: { newRoot: group!.get('$group') } }), ...rest];
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
  return {
    coll,
    query: { ...asked, skip: 0, read, context: queryContext(context, variables) },
    explained,
    shape: asIs,
  };
}
