import { CodedError, inContext } from '../base/index.ts';

export { located } from '../base/index.ts';

/** Shorthands for the codes that this room gives most. Texts are MongoDB's wherever it has one. */
export function badValue(message: string): CodedError {
  return new CodedError('BadValue', message);
}

export function failedToParse(message: string): CodedError {
  return new CodedError('FailedToParse', message);
}

export function typeMismatch(message: string): CodedError {
  return new CodedError('TypeMismatch', message);
}

/** A value that cannot be made one of the type asked for: `onError` stands in for these, and for no other error. */
export function conversionFailure(message: string): CodedError {
  return new CodedError('ConversionFailure', message);
}

/** Something that MongoDB has and DiscoDB has not. */
export function notImplemented(message: string): CodedError {
  return new CodedError('NotImplemented', message);
}

/** Errors of what is constant. MongoDB evaluates that when all is parsed, so they tell nothing of where they stand. */
const constantErrors = new WeakSet<Error>();

/** Whether an error is one of something constant. */
export function isConstantError(error: unknown): boolean {
  return error instanceof Error && constantErrors.has(error);
}

/** Evaluates something constant while the rest is compiled. */
export function evaluatedEarly<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof CodedError) constantErrors.add(error);
    throw error;
  }
}

/** Compiles a pipeline, whose constants are evaluated as the whole is optimized. */
export function optimized<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof CodedError) || !constantErrors.has(error)) throw error;
    return inContext('Failed to optimize pipeline', () => {
      throw error;
    });
  }
}

/** Parses something whose errors tell where they happened; errors of what is constant do not. */
export function parsedIn<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof Error && constantErrors.has(error)) throw error;
    return inContext(what, () => {
      throw error;
    });
  }
}
