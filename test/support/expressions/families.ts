import { ARITHMETIC, FUNCTIONS } from './arithmetic.ts';
import { ARRAYS, OBJECTS } from './arrays.ts';
import type { Family } from './case.ts';
import { CONVERSIONS } from './conversions.ts';
import { DATES } from './dates.ts';
import { LOGIC } from './logic.ts';
import { STRINGS } from './strings.ts';

export const FAMILIES: Readonly<Record<string, Family>> = {
  arithmetic: ARITHMETIC,
  functions: FUNCTIONS,
  arrays: ARRAYS,
  objects: OBJECTS,
  strings: STRINGS,
  conversions: CONVERSIONS,
  dates: DATES,
  logic: LOGIC,
};
