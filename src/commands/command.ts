import type { Doc } from '../bson/index.ts';
import { type Fields, type Parsed, parseFields } from './fields.ts';
import { isGenericArgument } from './generic.ts';
import { checkStableFields } from './shared/strict-api.ts';
import type { Command, Context, Request } from './types.ts';

/** A command with the fields it takes. What is not said is no. */
interface Definition<F extends Fields> {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly adminOnly?: boolean;
  readonly apiV1?: boolean;
  /** With which bodies it changes data; `true` is all. */
  readonly writes?: boolean | ((body: Doc) => boolean);
  readonly retryable?: boolean;
  readonly readConcern?: boolean;
  readonly raw?: string;
  readonly help: string;
  /** Unknown fields are overlooked, as MongoDB does for its oldest commands. */
  readonly lenient?: boolean;
  /** Fields that `apiStrict` refuses. */
  readonly unstable?: readonly string[];
  /** What errors about the fields call the command; absent: its name. */
  readonly parsedAs?: string;
  readonly fields: F;
  run(args: Parsed<F>, request: Request, context: Context): Promise<Doc> | Doc;
}

/** The body is parsed before `run` sees it, so that a command deals in typed values only. */
export function defineCommand<F extends Fields>(definition: Definition<F>): Command {
  const { name, fields, parsedAs = name, lenient = false, writes = false } = definition;
  return {
    name,
    aliases: definition.aliases ?? [],
    adminOnly: definition.adminOnly ?? false,
    apiV1: definition.apiV1 ?? false,
    writeConcern: writes !== false,
    retryable: definition.retryable ?? false,
    readConcern: definition.readConcern ?? false,
    raw: definition.raw,
    help: definition.help,
    writes: typeof writes === 'function' ? writes : () => writes,
    run(request, context) {
      if (request.generic.api.strict) checkStableFields(request.body, name, definition.unstable ?? []);
      const args = parseFields(fields, request.body, parsedAs, lenient ? () => true : isGenericArgument);
      return definition.run(args, request, context);
    },
  };
}
