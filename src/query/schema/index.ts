/** `$jsonSchema`: `parse.ts` makes a tree of keywords, `match.ts` walks it. */
export { appliesTo, fits, holds, propertyOf } from './match.ts';
export { parseSchema } from './parse.ts';
export type * from './types.ts';
