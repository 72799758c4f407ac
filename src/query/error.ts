import { CodedError } from '../base/index.ts';

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

/** An error that MongoDB knows by number only. */
export function located(code: number, message: string): CodedError {
  return new CodedError(`Location${code}`, message);
}

/** A value that cannot be made one of the type asked for: `onError` stands in for these, and for no other error. */
export function conversionFailure(message: string): CodedError {
  return new CodedError('ConversionFailure', message);
}

/** Something that MongoDB has and DiscoDB has not. */
export function notImplemented(message: string): CodedError {
  return new CodedError('NotImplemented', message);
}
