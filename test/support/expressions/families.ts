import { ARITHMETIC, FUNCTIONS } from './arithmetic.ts';
import type { Family } from './case.ts';
import { DATES } from './dates.ts';

export const FAMILIES: Readonly<Record<string, Family>> = {
  arithmetic: ARITHMETIC,
  functions: FUNCTIONS,
  dates: DATES,
};
