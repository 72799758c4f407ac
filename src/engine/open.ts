import type { Env } from '../base/index.ts';
import { type KeyRing, type LeaseOptions, OwnedStore, Ownership } from '../log/index.ts';
import type { ChannelId, Store } from '../store/index.ts';
import { findSystemChannels, SYSTEM_CATEGORY } from './bootstrap.ts';
import { DocumentCache } from './cache.ts';
import { Catalog, orphans } from './catalog.ts';
import type { Engine } from './contract.ts';
import { DiscordEngine } from './engine.ts';
import { ExternalChanges, type SystemChannel } from './external-changes.ts';
import { CollectionHandle, type HandleContext } from './handle.ts';
import { Namespaces } from './namespaces.ts';
import { RecordShelf } from './record-shelf.ts';
import type { UpkeepLimits } from './upkeep/upkeep.ts';

export interface EngineOptions {
  readonly env: Env;
  readonly store: Store;
  /** Bound on the bytes of documents in memory. */
  readonly cacheBytes: number;
  /** With it everything is sealed that is written. */
  readonly keys?: KeyRing | undefined;
  /** Absent: no other process can reach this Discord. */
  readonly lease?: LeaseOptions | undefined;
  /** Told the epoch of this process, before any channel but the control channel is read. */
  readonly onEpoch?: ((epoch: number) => Promise<void>) | undefined;
  /** When upkeep does what, where that is not to be as usual. */
  readonly upkeep?: Partial<UpkeepLimits> | undefined;
}

/** Opens the deployment that lives in a guild: five requests on an old one, and the channels made on a new one. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { env, cacheBytes, keys, lease, onEpoch } = options;
  const system = await findSystemChannels(options.store, env);
  const ownership = await Ownership.claim(options.store, system.control.id, env, { keys, lease });
  const store = new OwnedStore(options.store, ownership);
  const { epoch } = ownership;
  await onEpoch?.(epoch);
  const context: HandleContext = {
    env,
    store,
    cache: new DocumentCache(cacheBytes),
    shelf: new RecordShelf(),
    ownership,
    keys,
  };
  const ns = { db: SYSTEM_CATEGORY, coll: 'catalog' };
  const info = { ns, uuid: new Uint8Array(16), options: new Map(), indexes: [] };
  const names = keys ? 'hidden' : 'shown';
  const catalog = await Catalog.open(env, store, new CollectionHandle(context, info, system.catalog.id), names);
  const namespaces = new Namespaces(context, catalog);
  namespaces.removeDropped();
  namespaces.removeOrphans(orphans(catalog, system.all).map(({ id }) => id));
  const { control, catalog: index } = system;
  const external = new ExternalChanges({
    env,
    store,
    namespaces,
    system: new Map<ChannelId, SystemChannel>([
      [control.id, { name: control.name, restore: undefined }],
      [index.id, { name: index.name, restore: (ids) => catalog.restore(ids) }],
    ]),
  });
  const unwatch = store.watch((event) => {
    if (event.kind === 'created' && event.channel === system.control.id) ownership.wake(event.id);
  });
  return new DiscordEngine(context, namespaces, external, unwatch, options.upkeep);
}
