import { CodedError } from '../../base/index.ts';

/** Throws for a name that no other collection can have. */
export function checkForeign(stage: string, db: string, collection: string): void {
  if (collection !== '' && !collection.startsWith('.') && !collection.includes('\0')) return;
  throw new CodedError('InvalidNamespace', `invalid ${stage} namespace: ${db}.${collection}`);
}
