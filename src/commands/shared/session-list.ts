import { type Field, required, structs } from '../fields.ts';
import { lsidFields } from '../generic.ts';
import { type SessionKey, sessionKey } from '../sessions.ts';

/** An array of session ids, `[{id: UUID}, ...]`. */
export function sessionList(): Field<readonly SessionKey[]> {
  const list = required(structs(lsidFields));
  return {
    absent: (path) => {
      list.absent(path);
      return [];
    },
    parse: (value, path) => list.parse(value, path).flatMap(({ id }) => (id ? [sessionKey(id)] : [])),
  };
}
