import { CodedError } from '../../base/index.ts';
import type { Doc } from '../../bson/index.ts';
import { located, typeMismatch } from '../error.ts';
import { typeName } from '../value.ts';

export interface Target {
  readonly db: string;
  readonly coll: string;
}

/** Databases that belong to the server. */
const INTERNAL: ReadonlySet<string> = new Set(['admin', 'config', 'local']);

/** A target that is written as `{db, coll}`. */
export function writeTarget(label: string, spec: Doc, db: string): Target {
  for (const [name, value] of spec) {
    if (name !== 'db' && name !== 'coll') {
      throw new CodedError('IDLUnknownField', `BSON field '${label}.${name}' is an unknown field.`);
    }
    if (typeof value !== 'string') {
      throw typeMismatch(
        `BSON field '${label}.${name}' is the wrong type '${typeName(value)}', expected type 'string'`,
      );
    }
  }
  return { db: (spec.get('db') as string | undefined) ?? db, coll: (spec.get('coll') as string | undefined) ?? '' };
}

/** Whether a collection may have that name. */
export function isValidTarget({ db, coll }: Target): boolean {
  return db !== '' && coll !== '' && !coll.startsWith('.') && !coll.includes('\0') && !coll.includes('$');
}

/** Throws for what a stage may not write to; `cannot` is the word that its messages have for that. */
export function checkTarget(
  stage: string,
  { db, coll }: Target,
  { special, internal, cannot }: { readonly special: number; readonly internal: number; readonly cannot: string },
): void {
  if (coll.startsWith('system.')) throw located(special, `${cannot} ${stage} to special collection: ${coll}`);
  if (INTERNAL.has(db)) throw located(internal, `${cannot} ${stage} to internal database: ${db}`);
}

export function invalidTarget(message: string): CodedError {
  return new CodedError('InvalidNamespace', message);
}
