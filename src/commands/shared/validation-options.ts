import { document, oneOf, type Parsed } from '../fields.ts';

/** What create and collMod say of the documents that a collection takes. */
export const validationFields = {
  validator: document(),
  validationLevel: oneOf(['off', 'strict', 'moderate']),
  validationAction: oneOf(['error', 'warn']),
};

/** The options as they are kept: with a validator the other two are written out. */
export function validationOptions({ validator, validationLevel, validationAction }: Parsed<typeof validationFields>) {
  if (!validator || validator.size === 0) return { validationLevel, validationAction };
  return { validator, validationLevel: validationLevel ?? 'strict', validationAction: validationAction ?? 'error' };
}
