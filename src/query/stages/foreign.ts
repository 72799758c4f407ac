import { CodedError } from '../../base/index.ts';

/** Whether another collection can have that name. */
export function isForeign(collection: string): boolean {
  return collection !== '' && !collection.startsWith('.') && !collection.includes('\0');
}

/** Throws for a name that no other collection can have. */
export function checkForeign(stage: string, db: string, collection: string): void {
  if (isForeign(collection)) return;
  throw new CodedError('InvalidNamespace', `invalid ${stage} namespace: ${db}.${collection}`);
}
