import { CodedError } from '../../base/index.ts';
import { type Doc, typeAlias, type Value } from '../../bson/index.ts';
import { type Field, isDocument } from '../fields.ts';

/** Operators or a replacement (a document), or a pipeline (an array of documents). */
export const updateSpec = (): Field<Doc | Doc[] | undefined> => ({
  absent: () => undefined,
  parse(value: Value, path) {
    if (isDocument(value)) return value;
    if (Array.isArray(value) && value.every(isDocument)) return value;
    if (Array.isArray(value)) {
      const index = value.findIndex((stage) => !isDocument(stage));
      throw new CodedError(
        'TypeMismatch',
        `BSON field '${path}.${index}' is the wrong type '${typeAlias(value[index])}', expected type 'object'`,
      );
    }
    throw new CodedError('FailedToParse', 'Update argument must be either an object or an array');
  },
});
