import { CodedError } from '../../base/index.ts';
import type { Doc } from '../../bson/index.ts';
import { letVariables, type QueryContext } from '../../query/index.ts';
import { byHand, document, type Field, isDocument, toNumber } from '../fields.ts';
import type { Context } from '../types.ts';

/** An index by name or by key, undefined for the empty key, which asks for none. */
export const hint = (): Field<string | Doc | undefined> =>
  byHand((value) => {
    if (typeof value === 'string') return value;
    if (!isDocument(value)) throw new CodedError('FailedToParse', 'Hint must be a string or an object');
    return value.size === 0 ? undefined : value;
  });

/** Throws for natural order that is no order. */
export function checkNatural(sort: Doc | undefined, hint?: string | Doc): void {
  const bad = (message: string) => new CodedError('BadValue', message);
  for (const [what, spec] of [['sort', sort] as const, ['hint', hint] as const]) {
    if (!isDocument(spec) || !spec.has('$natural')) continue;
    const order = toNumber(spec.get('$natural'));
    if (spec.size === 1 && (order === 1 || order === -1)) continue;
    throw bad(`$natural ${what} cannot be set to a value other than -1 or 1.`);
  }
  if (!sort?.has('$natural') || hint === undefined) return;
  if (!isDocument(hint) || !hint.has('$natural')) throw bad('index hint not allowed with $natural sort order');
  if (toNumber(hint.get('$natural')) === toNumber(sort.get('$natural'))) return;
  throw bad('$natural hint must be in the same direction as $natural sort order');
}

/** Read by the engine, which knows the collection's own. */
export const collation = () => document();

/** What a command says of the disk, or what the server does where it says nothing. */
export function diskUse(given: boolean | undefined, { engine }: Context): boolean {
  return given ?? engine.allowDiskUseByDefault;
}

/** What queries may use besides documents: the time, chance, and the command's `let`. */
export function queryContext(context: Context, variables?: Doc): QueryContext {
  const { clock, random } = context.env;
  const surroundings = {
    now: new Date(clock.now()),
    clusterTime: context.clusterTime.now,
    random: () => random.next(),
    limits: context.engine.limits,
  };
  return variables ? { ...surroundings, variables: letVariables(variables, surroundings) } : surroundings;
}
