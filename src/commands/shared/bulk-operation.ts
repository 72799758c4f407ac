import { CodedError } from '../../base/index.ts';
import { decode, decodeWithout, fieldNames, getField, rawField, TYPE } from '../../bson/index.ts';
import type { BulkOperation } from '../../engine/index.ts';
import {
  arrayOf,
  document,
  type Field,
  type Fields,
  integer,
  parseFields,
  required,
  strictBoolean,
  withDefault,
  wrongType,
} from '../fields.ts';
import { collation, hint } from './query.ts';
import { updateSpec } from './update-spec.ts';

/** An operation of the client's, and the element of `nsInfo` that it is for. */
export interface BulkEntry {
  readonly index: number;
  readonly operation: BulkOperation;
  /** As the client sent it, for messages. */
  readonly source: Uint8Array;
}

const namespaceIndex = (): Field<number> => {
  const any = required(integer());
  return {
    ...any,
    parse(value, path) {
      const index = any.parse(value, path);
      if (index >= 0) return index;
      const name = path.slice(path.lastIndexOf('.') + 1);
      throw new CodedError('BadValue', `BSON field '${name}' value must be >= 0, actual value '${index}'`);
    },
  };
};

const insertFields = { insert: namespaceIndex() } satisfies Fields;

const updateFields = {
  update: namespaceIndex(),
  filter: required(document()),
  updateMods: required(updateSpec()),
  multi: withDefault(strictBoolean(), false),
  upsert: withDefault(strictBoolean(), false),
  arrayFilters: arrayOf(required(document())),
  hint: hint(),
  constants: document(),
  collation: collation(),
  sort: document(),
} satisfies Fields;

const deleteFields = {
  delete: namespaceIndex(),
  filter: required(document()),
  multi: withDefault(strictBoolean(), false),
  hint: hint(),
  collation: collation(),
} satisfies Fields;

const PATH = 'bulkWrite.ops';

/** Reads one element of `ops`, whose first field says what it is. */
export function bulkEntry(source: Uint8Array): BulkEntry {
  const [kind = ''] = fieldNames(source);
  if (kind === 'insert') return insertEntry(source);
  if (kind === 'update') return updateEntry(source);
  if (kind === 'delete') return deleteEntry(source);
  throw new CodedError('IDLUnknownField', `BSON field 'bulkWrite.${kind}' is an unknown field.`);
}

/** The document stays the bytes that the client sent. */
function insertEntry(source: Uint8Array): BulkEntry {
  const { insert: index } = parseFields(insertFields, decodeWithout(source, new Set(['document'])), PATH);
  const field = rawField(source, 'document');
  if (!field) throw new CodedError('IDLFailedToParse', `BSON field '${PATH}.document' is missing but a required field`);
  if (field.type !== TYPE.object) throw wrongType(getField(source, 'document'), `${PATH}.document`, ['object']);
  return { index, operation: { kind: 'insert', document: source.subarray(field.start, field.end) }, source };
}

function updateEntry(source: Uint8Array): BulkEntry {
  const args = parseFields(updateFields, decode(source), PATH);
  const { update: index, filter, updateMods, multi, upsert, arrayFilters, hint, constants, sort, collation } = args;
  if (multi && sort) throw new CodedError('FailedToParse', 'Cannot specify sort with multi=true');
  const statement = { filter, update: updateMods, constants, multi, upsert, arrayFilters, hint, sort, collation };
  return { index, operation: { kind: 'update', ...statement }, source };
}

function deleteEntry(source: Uint8Array): BulkEntry {
  const { delete: index, filter, multi, hint, collation } = parseFields(deleteFields, decode(source), PATH);
  return { index, operation: { kind: 'delete', filter, limit: multi ? 0 : 1, hint, collation }, source };
}
