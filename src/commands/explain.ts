import { hostname } from 'node:os';
import { CodedError } from '../base/index.ts';
import { type Doc, doc } from '../bson/index.ts';
import { notOnView, type Verbosity } from '../engine/index.ts';
import { LIMIT_PARAMETERS } from '../query/index.ts';
import { defineCommand } from './command.ts';
import { document, type Field, required } from './fields.ts';
import { type Explainable, explainable } from './shared/explainable.ts';
import { readable } from './shared/namespace.ts';
import { MONGODB_VERSION } from './shared/version.ts';
import type { Context, Request } from './types.ts';

const VERBOSITIES: readonly string[] = ['queryPlanner', 'executionStats', 'allPlansExecution'] satisfies Verbosity[];

const verbosity = (): Field<Verbosity> => ({
  absent: () => 'allPlansExecution',
  parse(value) {
    if (typeof value === 'string' && VERBOSITIES.includes(value)) return value as Verbosity;
    throw new CodedError(
      'FailedToParse',
      "verbosity string must be one of {'queryPlanner', 'executionStats', 'allPlansExecution'}",
    );
  },
});

export const explain = defineCommand({
  name: 'explain',
  apiV1: true,
  readConcern: true,
  help: 'tells how a command would find its documents',
  fields: { explain: required(document()), verbosity: verbosity() },
  run: (args, request, context) => explainCommand(args.explain, args.verbosity, request, context),
});

/** The reply to explain, and to aggregate with `explain: true`. */
export async function explainCommand(
  command: Doc,
  verbosity: Verbosity,
  request: Request,
  context: Context,
): Promise<Doc> {
  const asked = explainable(command, request, context);
  const { coll, explain } = onCollection(asked, request, context);
  const explained = await explain(context.engine, readable(request.db, coll), verbosity);
  const port = Number(context.server.address.slice(context.server.address.lastIndexOf(':') + 1));
  explained.set('command', command);
  explained.set('serverInfo', doc({ host: hostname(), port, version: MONGODB_VERSION, gitVersion: 'discodb' }));
  explained.set('serverParameters', serverParameters(context));
  return explained;
}

/** Of those that MongoDB shows with a plan those that there are. */
const SHOWN_LIMITS = ['facetBuffer', 'facet', 'lookup', 'group', 'sort', 'addToSet', 'setWindowFields'] as const;

function serverParameters({ engine: { limits } }: Context): Doc {
  return doc(Object.fromEntries(SHOWN_LIMITS.map((limited) => [LIMIT_PARAMETERS[limited].name, limits[limited]])));
}

/** What is asked of a view, as the aggregate of a collection that it comes to. */
function onCollection(asked: Explainable, request: Request, context: Context): Explainable {
  const ns = readable(request.db, asked.coll);
  const view = context.engine.resolveView(ns);
  if (!view || asked.pipeline?.[0]?.has('$collStats')) return asked;
  if (!asked.pipeline) throw notOnView(ns);
  const pipeline = [...view.pipeline, ...asked.pipeline];
  const { collation } = view;
  return explainable(doc({ aggregate: view.ns.coll, pipeline, cursor: {}, collation }), request, context);
}
