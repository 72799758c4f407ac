import { type Document, MongoServerError } from '../support/driver.ts';
import type { Entities } from './entities.ts';
import { expectMatch } from './match.ts';

/** The error is as the format's `expectError` says. */
export function expectError(entities: Entities, expected: Document, error: Document | undefined, path: string): void {
  if (!error) throw new Error(`${path}: expected an error`);
  for (const [name, value] of Object.entries(expected)) {
    const check = CHECKS[name];
    if (!check) throw new Error(`the runner does not know expectError.${name}`);
    check(entities, value, error, `${path} ${name} of "${error.message}"`);
  }
}

type Check = (entities: Entities, expected: Document[string], error: Document, path: string) => void;

const CHECKS: Readonly<Record<string, Check>> = {
  isError: () => {},
  isClientError: (_, expected: boolean, error, path) => equal(path, !(error instanceof MongoServerError), expected),
  isTimeoutError: (_, expected: boolean, error, path) =>
    equal(path, error.name === 'MongoOperationTimeoutError', expected),
  errorContains: (_, expected: string, error, path) =>
    equal(path, error.message.toLowerCase().includes(expected.toLowerCase()), true),
  errorCode: (_, expected: number, error, path) => equal(path, error.code, expected),
  errorCodeName: (_, expected: string, error, path) => equal(path, error.codeName, expected),
  errorLabelsContain: (_, expected: string[], error, path) => {
    for (const label of expected) equal(`${path} ${label}`, error.hasErrorLabel(label), true);
  },
  errorLabelsOmit: (_, expected: string[], error, path) => {
    for (const label of expected) equal(`${path} ${label}`, error.hasErrorLabel?.(label) ?? false, false);
  },
  errorResponse: (entities, expected: Document, error, path) =>
    expectMatch(entities, expected, error.errorResponse ?? error.cause?.errorResponse, path),
  expectResult: (entities, expected: Document, error, path) =>
    expectMatch(entities, expected, error.partialResult ?? error.result, path),
  writeErrors: (entities, expected: Document, error, path) => {
    const actual = byIndex(error);
    equal(`${path}: places`, Object.keys(actual).join(), Object.keys(expected).join());
    for (const [at, each] of Object.entries(expected)) expectMatch(entities, each, actual[at], `${path}.${at}`);
  },
  writeConcernErrors: (entities, expected: Document[], error, path) =>
    expectMatch(entities, expected, error.writeConcernErrors, path),
};

/** The write errors of a client's or of a collection's bulk write, by the place of the write. */
function byIndex({ writeErrors }: Document): Document {
  if (writeErrors instanceof Map) return Object.fromEntries(writeErrors);
  return Object.fromEntries([writeErrors ?? []].flat().map((each: Document) => [each.index, each]));
}

function equal(path: string, actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${path}: expected ${String(expected)}, got ${String(actual)}`);
}
