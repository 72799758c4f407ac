import type { Value } from '../../bson/index.ts';
import { located } from '../error.ts';

/** The name of a variable that an expression binds. Throws 16866, 16867, 16868. */
export function variableName(given: Value): string {
  const name = typeof given === 'string' ? given : '';
  if (name === '') throw located(16866, 'empty variable names are not allowed');
  if (name === 'CURRENT') return name; // The one name of the system's that may be bound anew.
  if (!/^[a-z\u0080-\u{10ffff}]/u.test(name)) {
    throw located(16867, `'${name}' starts with an invalid character for a user variable name`);
  }
  checkCharacters(name, 16868);
  return name;
}

/** The name of a variable that is read. Throws 16869, 16870, 16871. */
export function checkVariableRead(name: string): void {
  if (name === '') throw located(16869, 'empty variable names are not allowed');
  if (!/^[A-Za-z\u0080-\u{10ffff}]/u.test(name)) {
    throw located(16870, `'${name}' starts with an invalid character for a variable name`);
  }
  checkCharacters(name, 16871);
}

function checkCharacters(name: string, code: number): void {
  const wrong = /[^\w\u0080-\u{10ffff}]/u.exec(name);
  if (wrong) throw located(code, `'${name}' contains an invalid character for a variable name: '${wrong[0]}'`);
}
