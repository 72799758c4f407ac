import { CodedError } from '../../base/index.ts';
import { type Doc, TYPE, typeNumber, type Value } from '../../bson/index.ts';
import { isDoc, typeName } from '../value.ts';

/**
 * What an update may not leave in a document (`storage_validation.cpp`). Names that begin with `$` are refused at the
 * top of a document and right below its `_id`, where they are not those of a reference; deeper ones may be anything.
 */

/** Throws InvalidIdField for a type (BSON's number) that no `_id` may be of. */
export function checkIdType(type: number): void {
  if (type !== TYPE.regex && type !== TYPE.array && type !== TYPE.undefined) return;
  const alias = { [TYPE.regex]: 'regex', [TYPE.array]: 'array', [TYPE.undefined]: 'undefined' }[type];
  throw new CodedError('InvalidIdField', `The '_id' value cannot be of type ${alias}`);
}

/** Throws InvalidIdField or what is wrong with a name in `_id`. */
export function checkStoredId(doc: Doc): void {
  const id = doc.get('_id') as Value;
  checkIdType(typeNumber(id));
  if (isDoc(id)) for (const name of id.keys()) checkDollarField(id, name, '_id.');
}

/** Throws DollarPrefixedFieldName or InvalidDBRef for a field whose name begins with `$`. */
export function checkDollarField(doc: Doc, name: string, above = ''): void {
  if (!name.startsWith('$') || !doc.has(name)) return;
  const names = [...doc.keys()];
  let at = names.indexOf(name);
  if (names[at] === '$db') {
    checkText(doc, '$db');
    if (names[--at] !== '$id') throw invalid('Found $db field without a $id before it, which is invalid.');
  }
  if (names[at] === '$id' && names[--at] !== '$ref') {
    throw invalid('Found $id field without a $ref before it, which is invalid.');
  }
  if (names[at] !== '$ref') {
    throw new CodedError(
      'DollarPrefixedFieldName',
      `The dollar ($) prefixed field '${name}' in '${above}${name}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`,
    );
  }
  checkText(doc, '$ref');
  if (names[at + 1] !== '$id') throw invalid('The DBRef $ref field must be followed by a $id field');
}

function checkText(doc: Doc, name: string): void {
  const value = doc.get(name);
  if (typeof value === 'string') return;
  throw invalid(`The DBRef ${name} field must be a String, not a ${typeName(value!)}`);
}

function invalid(message: string): CodedError {
  return new CodedError('InvalidDBRef', message);
}
