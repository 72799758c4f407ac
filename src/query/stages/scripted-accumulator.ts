import { Code, type Doc, type Value } from '../../bson/index.ts';
import { located } from '../error.ts';
import { compileExpression, constantValue, noScripts } from '../expressions/index.ts';
import type { QueryContext } from '../types.ts';
import { isDoc, typeName } from '../value.ts';
import type { Accumulation } from './accumulation.ts';

const FUNCTIONS = ['init', 'accumulate', 'merge', 'finalize'];
const REQUIRED: readonly (readonly [string, number])[] = [
  ['init', 4544707],
  ['accumulate', 4544708],
  ['merge', 4544709],
  ['accumulateArgs', 4544710],
];

/** `$accumulator`, as of a server without JavaScript: its mistakes are told, and no group can begin. */
export function compileScripted(argument: Value, context: QueryContext): Accumulation {
  if (!isDoc(argument)) {
    throw located(4544703, `$accumulator expects an object as an argument; found: ${typeName(argument)}`);
  }
  for (const [name, value] of argument) checkArgument(name, value, context);
  for (const [name, code] of REQUIRED) {
    if (!argument.has(name)) throw located(code, `$accumulator missing required argument '${name}'`);
  }
  return { expression: noScripts, start: noScripts };
}

function checkArgument(name: string, value: Doc | Value, context: QueryContext): void {
  if (FUNCTIONS.includes(name)) {
    const known = constantValue(compileExpression(value, context));
    if (!known) throw located(4544701, `$accumulator '${name}' must be a constant expression`);
    if (typeof known.value !== 'string' && !(known.value instanceof Code)) {
      throw located(4544702, `$accumulator '${name}' must be a String or Code`);
    }
  } else if (name === 'initArgs' || name === 'accumulateArgs') {
    compileExpression(value, context);
  } else if (name !== 'lang') {
    throw located(4544706, `$accumulator got an unexpected field: ${name}`);
  } else if (typeof value !== 'string') {
    throw located(4544704, `$accumulator lang must be a string; found: ${typeName(value)}`);
  } else if (value !== 'js') {
    throw located(4544705, "$accumulator only supports lang: 'js'");
  }
}
