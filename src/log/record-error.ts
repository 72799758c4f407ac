/** Bytes that are not a record as `FORMAT.md` describes it. The only error that the codec throws on outside input. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
}

export function check(condition: unknown, message: string): asserts condition {
  if (!condition) throw new RecordError(message);
}
