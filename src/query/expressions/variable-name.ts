import type { Value } from '../../bson/index.ts';
import { failedToParse } from '../error.ts';

/** The name of a variable that an expression binds (`variableValidation::validateNameForUserWrite`). Throws FailedToParse. */
export function variableName(given: Value): string {
  const name = typeof given === 'string' ? given : '';
  if (name === 'CURRENT') return name; // The one name of the system's that may be bound anew.
  check(name, /^[a-z\u0080-\u{10ffff}]/u);
  return name;
}

/** The name of a variable that is read, which may be one of the system's. Throws FailedToParse. */
export function checkVariableRead(name: string): void {
  check(name, /^[A-Za-z\u0080-\u{10ffff}]/u);
}

function check(name: string, first: RegExp): void {
  if (name === '') throw failedToParse('empty variable names are not allowed');
  if (!first.test(name)) throw failedToParse(`'${name}' starts with an invalid character for a user variable name`);
  const wrong = /[^\w\u0080-\u{10ffff}]/u.exec(name);
  if (wrong) throw failedToParse(`'${name}' contains an invalid character for a variable name: '${wrong[0]}'`);
}
