import { CodedError } from '../base/index.ts';
import {
  type Doc,
  decode,
  decodeWithout,
  encode,
  fieldNames,
  getField,
  rawDocuments,
  rawField,
  TYPE,
  type Value,
  validate,
} from '../bson/index.ts';
import { isDocument, wrongType } from './fields.ts';
import type { Command, Message } from './types.ts';

/** A message opened as far as running its command needs. */
export interface Envelope {
  readonly command: Command;
  readonly db: string;
  readonly body: Doc;
  readonly documents: readonly Uint8Array[] | undefined;
}

/** The commands that the legacy opcode may still carry: what a driver sends before it knows the server. */
const LEGACY: ReadonlySet<string> = new Set(['hello', 'isMaster']);

/** Throws CodedErrors for all that MongoDB refuses before a command runs. */
export function openEnvelope(message: Message, find: (name: string) => Command | undefined): Envelope {
  const legacy = message.db !== undefined;
  const source = legacy ? unwrapped(message.body) : message.body;
  const [name] = fieldNames(source);
  const command = name === undefined ? undefined : find(name);
  if (legacy && (command === undefined || !LEGACY.has(command.name))) {
    throw new CodedError(
      'UnsupportedOpQueryCommand',
      `Unsupported OP_QUERY command: ${name ?? ''}. The client driver may require an upgrade.`,
    );
  }
  if (name === undefined || command === undefined) {
    throw new CodedError('CommandNotFound', `no such command: '${name ?? ''}'`);
  }
  const body = canonical(command, name, source);
  const documents = mergeSequences(command, source, body, message.sequences);
  return { command, body, documents, db: message.db ?? databaseOf(body) };
}

/** Old drivers wrap the query: `{$query: {isMaster: 1}, $readPreference: ...}`. */
function unwrapped(bytes: Uint8Array): Uint8Array {
  const [first] = fieldNames(bytes);
  if (first !== '$query' && first !== 'query') return bytes;
  const inner = decode(bytes).get(first);
  if (!isDocument(inner)) throw new CodedError('FailedToParse', `'${first}' must be a document`);
  return encode(inner);
}

function canonical(command: Command, name: string, source: Uint8Array): Doc {
  const body = command.raw ? decodeWithout(source, new Set([command.raw])) : decode(source);
  if (name === command.name) return body;
  const renamed: Doc = new Map<string, Value>([[command.name, body.get(name)]]);
  for (const [field, value] of body) if (field !== name) renamed.set(field, value);
  return renamed;
}

/** Puts the document sequences where their fields would stand, but for the raw one, whose documents stay bytes. */
function mergeSequences(
  command: Command,
  source: Uint8Array,
  body: Doc,
  sequences: Message['sequences'],
): readonly Uint8Array[] | undefined {
  let documents = command.raw === undefined ? undefined : documentsIn(source, command.raw, command.name);
  for (const [field, sequence] of sequences) {
    if (body.has(field) || (field === command.raw && documents)) {
      throw new CodedError('IDLDuplicateField', `BSON field '${command.name}.${field}' is a duplicate field`);
    }
    if (field === command.raw) documents = sequence;
    else body.set(field, sequence.map(decode));
  }
  for (const bytes of documents ?? []) validate(bytes);
  return documents;
}

function documentsIn(source: Uint8Array, field: string, command: string): readonly Uint8Array[] | undefined {
  const type = rawField(source, field)?.type;
  if (type === undefined || type === TYPE.null) return undefined;
  if (type !== TYPE.array) throw wrongType(getField(source, field), `${command}.${field}`, ['array']);
  return rawDocuments(source, field) ?? refuseElement(getField(source, field) as Value[], `${command}.${field}`);
}

function refuseElement(elements: readonly Value[], path: string): never {
  const index = elements.findIndex((each) => !isDocument(each));
  throw wrongType(elements[index], `${path}.${index}`, ['object']);
}

function databaseOf(body: Doc): string {
  const db = body.get('$db');
  if (typeof db !== 'string') throw new CodedError('Location40571', 'OP_MSG requests require a $db argument');
  return db;
}
