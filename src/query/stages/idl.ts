import { CodedError } from '../../base/index.ts';
import type { Doc, Value } from '../../bson/index.ts';
import { failedToParse, typeMismatch } from '../error.ts';
import { isArray, isDoc, typeName } from '../value.ts';

/** The argument of a stage that MongoDB reads field by field (its IDL). */
export function objectArgument(stage: string, spec: Value): Doc {
  if (isDoc(spec)) return spec;
  throw failedToParse(`The ${stage} stage specification must be an object, found ${typeName(spec)}`);
}

/** The fields of an argument: null stands for none (as `idl_parser.cpp` has it) but in those that take any value. */
export function withoutNulls(spec: Doc, takeAny: readonly string[] = []): Doc {
  return new Map([...spec].filter(([name, value]) => value !== null || takeAny.includes(name)));
}

/** Throws for fields that are not known, and for required ones that are not there. */
export function checkFields(label: string, spec: Doc, known: readonly string[], required: readonly string[]): void {
  for (const name of spec.keys()) {
    if (!known.includes(name)) {
      throw new CodedError('IDLUnknownField', `BSON field '${label}.${name}' is an unknown field.`);
    }
  }
  for (const name of required) {
    if (spec.has(name)) continue;
    throw new CodedError('IDLFailedToParse', `BSON field '${label}.${name}' is missing but a required field`);
  }
}

export function wrongType(label: string, value: Value, expected: string): CodedError {
  return typeMismatch(`BSON field '${label}' is the wrong type '${typeName(value)}', expected type '${expected}'`);
}

export function requireText(label: string, value: Value): string {
  if (typeof value === 'string') return value;
  throw wrongType(label, value, 'string');
}

/** Names of fields; none where nothing is given. */
export function pathList(label: string, value: Value): string[] {
  if (value === undefined) return [];
  if (!isArray(value)) throw wrongType(label, value, 'array');
  return value.map((name, at) => requireText(`${label}.${at}`, name));
}
