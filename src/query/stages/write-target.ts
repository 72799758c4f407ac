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

/** Throws for what a stage may not write to. */
export function checkTarget(stage: string, { db, coll }: Target, special: number, internal: number): void {
  if (coll === '' || coll.startsWith('.') || coll.includes('\0') || coll.includes('$')) {
    throw new CodedError('InvalidNamespace', `Invalid ${stage} target namespace: '${db}.${coll}'`);
  }
  if (coll.startsWith('system.')) throw located(special, `Cannot ${stage} to special collection: ${coll}`);
  if (INTERNAL.has(db)) throw located(internal, `Cannot ${stage} to internal database: ${db}`);
}
