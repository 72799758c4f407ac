/**
 * An error that a client will see. `codeName` is MongoDB's (`error_codes.yml`), or `Location<number>` where MongoDB
 * names none; the number belongs to `commands/errors.ts` alone. `details` are the extra fields of the reply
 * (`keyPattern`, `keyValue`, `errInfo`).
 */
export class CodedError extends Error {
  override readonly name = 'CodedError';
  readonly codeName: string;
  readonly details: ReadonlyMap<string, unknown>;

  constructor(codeName: string, message: string, details: Iterable<[string, unknown]> = []) {
    super(message);
    this.codeName = codeName;
    this.details = new Map(details);
  }
}

/** An error that MongoDB knows by number only. */
export function located(code: number, message: string): CodedError {
  return new CodedError(`Location${code}`, message);
}

/** Runs something whose errors tell where they happened, as MongoDB's do. */
export function inContext<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw withContext(error, what);
  }
}

/** The error, telling where it happened if it is one for clients. */
export function withContext(error: unknown, what: string): unknown {
  if (!(error instanceof CodedError)) return error;
  return new CodedError(error.codeName, `${what} :: caused by :: ${error.message}`, error.details);
}
