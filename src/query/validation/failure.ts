import { type Doc, encode, MAX_DEPTH, type Value } from '../../bson/index.ts';
import { isArray, isDoc } from '../value.ts';

/** An explanation takes no more of a reply. */
const MAX_BYTES = 12 * 1024 * 1024;
/** Levels of a reply above an explanation. */
const OUTER_LEVELS = 10;

/** What grows with the document or the validator. */
const LARGE: ReadonlySet<string> = new Set(['specifiedAs', 'consideredValue', 'consideredValues']);

/** MongoDB's `errInfo`: which document failed and why, without the values where they are too much to tell. */
export function failureOf(doc: Doc, details: Doc): Doc {
  const id: [string, Value] = ['failingDocumentId', doc.get('_id')];
  if (depthOf(details) > MAX_DEPTH - OUTER_LEVELS) {
    return new Map<string, Value>([
      ['reason', 'generated error was too deeply nested'],
      ['truncated', true],
    ]);
  }
  const whole = new Map<string, Value>([id, ['details', details]]);
  if (encode(whole).length <= MAX_BYTES) return whole;
  const short = new Map<string, Value>([id, ['truncated', true], ['details', withoutValues(details)]]);
  if (encode(short).length <= MAX_BYTES) return short;
  return new Map<string, Value>([id, ['note', 'detailed error was too large']]);
}

function depthOf(value: Value): number {
  if (!isArray(value) && !isDoc(value)) return 0;
  let depth = 0;
  for (const inner of value.values()) depth = Math.max(depth, depthOf(inner));
  return depth + 1;
}

function withoutValues(value: Value): Value {
  if (isArray(value)) return value.map(withoutValues);
  if (!isDoc(value)) return value;
  return new Map([...value].filter(([name]) => !LARGE.has(name)).map(([name, inner]) => [name, withoutValues(inner)]));
}
