import { CodedError } from '../../base/index.ts';
import { type Doc, doc, type Value } from '../../bson/index.ts';
import type { FindQuery } from '../../engine/index.ts';
import { collectionName, type Fields, isDocument, type Parsed, parseFields, toInteger } from '../fields.ts';
import { isGenericArgument } from '../generic.ts';
import type { Context, Request } from '../types.ts';
import { aggregateFields } from './aggregate-fields.ts';
import { countFields, countQuery } from './count-query.ts';
import { distinctFields, distinctQuery } from './distinct-query.ts';
import { findFields, findQuery } from './find-query.ts';
import { queryContext } from './query.ts';

/** The query inside a command, and how its plan is shown. */
export interface Explainable {
  readonly coll: string;
  readonly query: FindQuery;
  shape(plan: Doc): Doc;
}

type Reader = (command: Doc, request: Request, context: Context) => Explainable;

const asIs = (plan: Doc) => plan;

/** The stages that a query by itself can do, in the only order in which it does. */
const PUSHED = ['$match', '$sort', '$skip', '$limit'];

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  [
    'find',
    (command, request, context) => {
      const args = parse(findFields, command, 'find');
      return { coll: args.find, query: findQuery(args, request, context), shape: asIs };
    },
  ],
  [
    'count',
    (command, request, context) => {
      const args = parse(countFields, command, 'count');
      return { coll: args.count, query: countQuery(args, request, context), shape: underStage('COUNT') };
    },
  ],
  [
    'distinct',
    (command, request, context) => {
      const args = parse(distinctFields, command, 'distinct');
      return { coll: args.distinct, query: distinctQuery(args, request, context), shape: asIs };
    },
  ],
  ['aggregate', explainAggregate],
  ['update', (command, request, context) => explainWrite(command, 'update', 'updates', request, context)],
  ['delete', (command, request, context) => explainWrite(command, 'delete', 'deletes', request, context)],
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

function underStage(stage: string): (plan: Doc) => Doc {
  return (plan) => {
    const planner = plan.get('queryPlanner');
    if (isDocument(planner)) planner.set('winningPlan', doc({ stage, inputStage: planner.get('winningPlan') }));
    return plan;
  };
}

function explainAggregate(command: Doc, request: Request, context: Context): Explainable {
  const args = parse(aggregateFields, command, 'aggregate');
  const { pipeline } = args;
  let pushed = 0;
  for (const [at, stage] of PUSHED.entries()) {
    const next = pipeline[pushed];
    if (next?.has(stage) && at >= pushed) pushed++;
  }
  const value = (stage: string) =>
    pipeline
      .slice(0, pushed)
      .find((each) => each.has(stage))
      ?.get(stage);
  const query: FindQuery = {
    filter: documentOr(value('$match'), new Map()),
    sort: documentOr(value('$sort'), undefined),
    skip: toInteger(value('$skip')) ?? 0,
    limit: toInteger(value('$limit')) ?? 0,
    hint: args.hint,
    collation: args.collation,
    read: request.generic.readConcern.read,
    context: queryContext(context, args.let),
  };
  if (pushed === pipeline.length) return { coll: args.aggregate, query, shape: asIs };
  const shape = (plan: Doc): Doc => {
    const { explainVersion, ...rest } = Object.fromEntries(plan);
    return doc({ explainVersion, stages: [doc({ $cursor: doc(rest) }), ...pipeline.slice(pushed)] });
  };
  return { coll: args.aggregate, query, shape };
}

function documentOr<T>(value: Value, otherwise: T): Doc | T {
  return isDocument(value) ? value : otherwise;
}

function explainWrite(command: Doc, name: string, list: string, request: Request, context: Context): Explainable {
  const statements = command.get(list);
  const statement = Array.isArray(statements) && statements.length === 1 ? statements[0] : undefined;
  if (!isDocument(statement)) {
    throw new CodedError('Location6264501', 'explained write batches must be of size 1');
  }
  return modification(command, name, statement, documentOr(statement.get('q'), new Map()), request, context);
}

function explainFindAndModify(command: Doc, request: Request, context: Context): Explainable {
  const [name = ''] = command.keys();
  return modification(command, name, command, documentOr(command.get('query'), new Map()), request, context);
}

function modification(
  command: Doc,
  name: string,
  statement: Doc,
  filter: Doc,
  request: Request,
  context: Context,
): Explainable {
  const { read } = request.generic.readConcern;
  const coll = collectionName().parse(command.get(name), name);
  const stage = name === 'delete' || command.get('remove') === true ? 'DELETE' : 'UPDATE';
  return {
    coll,
    query: {
      filter,
      skip: 0,
      limit: 0,
      collation: documentOr(statement.get('collation'), undefined),
      read,
      context: queryContext(context),
    },
    shape: underStage(stage),
  };
}
