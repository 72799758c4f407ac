import { CodedError } from '../base/index.ts';
import { defineCommand } from './command.ts';
import { boolean, collectionName, unsupported } from './fields.ts';
import { refuseView, showNamespace, writable } from './shared/namespace.ts';

/**
 * Moves a collection into a fresh channel: what was superseded goes with the old one, and all of it is sealed with the key
 * that seals now. Clients go on meanwhile; writes wait for a moment at the end.
 */
export const compact = defineCommand({
  name: 'compact',
  writes: true,
  help: 'writes a collection anew, into another channel',
  fields: {
    compact: collectionName(),
    // Lets a mongod compact while it serves clients, which is how it is done here.
    force: boolean(),
    freeSpaceTargetMB: unsupported('freeSpaceTargetMB', () => false),
    dryRun: unsupported('dryRun'),
  },
  async run(args, request, { engine }) {
    const ns = writable(request.db, args.compact);
    refuseView(engine, ns);
    if (!engine.collection(ns)) throw new CodedError('NamespaceNotFound', 'collection does not exist');
    if (!(await engine.compact(ns))) {
      throw new CodedError('OperationFailed', `clients left no moment to move ${showNamespace(ns)}; try again later`);
    }
    return new Map();
  },
});
