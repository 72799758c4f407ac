import { Binary, type Doc, equal, showDoc, type Value } from '../bson/index.ts';
import type { CollectionInfo } from './contract.ts';

/** How what is there differs from what was to be made, as MongoDB tells it. */
export function unlike({ ns, uuid, options }: CollectionInfo, wanted: Doc): string {
  const on = options.get('viewOn');
  if (on === undefined) {
    const shown: Doc = new Map<string, Value>([['uuid', new Binary(uuid, Binary.SUBTYPE_UUID)], ...options]);
    return `with different options: ${showDoc(shown)}`;
  }
  const other = wanted.get('viewOn');
  if (other !== on) return `is a view on ${ns.db}.${on} rather than ${[ns.db, other ?? []].flat().join('.')}`;
  for (const [option, how] of [
    ['pipeline', 'pipeline'],
    ['collation', 'collation:'],
  ] as const) {
    if (!equal(options.get(option), wanted.get(option))) {
      return `with ${how} ${shownOption(options.get(option))} rather than ${shownOption(wanted.get(option))}`;
    }
  }
  return `with different options: ${showDoc(options)}`;
}

/** Arrays are shown as documents of their indexes. */
function shownOption(value: Value): string {
  if (Array.isArray(value)) return showDoc(new Map(value.map((each, at) => [String(at), each])));
  return showDoc(value instanceof Map ? value : new Map());
}
