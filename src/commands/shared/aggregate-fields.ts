import { CodedError } from '../../base/index.ts';
import { type Doc, typeAlias } from '../../bson/index.ts';
import {
  boolean,
  byHand,
  document,
  type Field,
  integer,
  isDocument,
  optionalBoolean,
  parseFields,
  required,
  toNumber,
} from '../fields.ts';
import { collectionUuid } from './collection-uuid.ts';
import { collation, hint } from './query.ts';

/** The collection of a pipeline that starts from no collection: `aggregate: 1`. */
const COLLECTIONLESS = '$cmd.aggregate';
/** MongoDB's `internalPipelineLengthLimit` on a 64-bit build. */
const MAX_STAGES = 1000;

/** A collection's name, or 1. */
const target = (): Field<string> =>
  required({
    absent: () => undefined,
    parse(value) {
      if (typeof value === 'string') return value;
      const number = toNumber(value);
      if (number === 1) return COLLECTIONLESS;
      if (number !== undefined) {
        throw new CodedError(
          'BadValue',
          "Invalid command format: the 'aggregate' field must specify a collection name or 1",
        );
      }
      throw new CodedError('BadValue', `collection name has invalid type ${typeAlias(value)}`);
    },
  });

/** An array of stages, each a document with one field. */
const pipelineField = (): Field<readonly Doc[] | undefined> =>
  byHand((value) => {
    if (!Array.isArray(value)) {
      throw new CodedError('TypeMismatch', "'pipeline' option must be specified as an array");
    }
    if (value.length > MAX_STAGES) {
      throw new CodedError('Location7749501', `Pipeline length must be no longer than ${MAX_STAGES} stages.`);
    }
    return value.map((stage) => {
      if (!isDocument(stage)) {
        throw new CodedError('TypeMismatch', "Each element of the 'pipeline' array must be an object");
      }
      return stage;
    });
  });

const cursorFields = { batchSize: integer({ min: 0 }) };

const cursor = (): Field<{ readonly batchSize: number | undefined } | undefined> =>
  byHand((value) => {
    if (isDocument(value)) return parseFields(cursorFields, value, 'cursor');
    throw new CodedError('TypeMismatch', 'cursor field must be missing or an object');
  });

const explain = (): Field<boolean | undefined> =>
  byHand((value) => {
    if (typeof value === 'boolean') return value;
    throw new CodedError('TypeMismatch', 'explain must be a boolean');
  });

export const aggregateFields = {
  aggregate: target(),
  pipeline: required(pipelineField()),
  cursor: cursor(),
  explain: explain(),
  allowDiskUse: optionalBoolean(),
  bypassDocumentValidation: boolean(),
  collation: collation(),
  hint: hint(),
  let: document(),
  collectionUUID: collectionUuid(),
};
