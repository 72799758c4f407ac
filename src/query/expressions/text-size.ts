import { Buffer } from 'node:buffer';
import { located } from '../error.ts';

/** In UTF-8, as BSON has it (`BSONObjMaxUserSize`). */
const MAX_TEXT_BYTES = 16 * 1024 * 1024;
/** A UTF-16 unit takes at most three bytes of UTF-8: what is shorter than this need not be counted. */
const SURE_TO_FIT = Math.floor(MAX_TEXT_BYTES / 3);

/** A text that an expression makes, or that stands in one. Throws 16493 for one that no document could hold. */
export function sized(text: string): string {
  if (text.length < SURE_TO_FIT || Buffer.byteLength(text) < MAX_TEXT_BYTES) return text;
  throw located(16493, 'Tried to create string longer than 16MB');
}
