import type { Env } from '../base/index.ts';
import type { ChannelInfo, NewChannel, Store } from '../store/index.ts';

/** DiscoDB's own category; a start needs no more than the guild to find what is in it. */
export const SYSTEM_CATEGORY = 'discodb';

export interface SystemChannels {
  /** Every channel of the guild when the process started. */
  readonly all: readonly ChannelInfo[];
  readonly category: ChannelInfo;
  /** Fences: who may write. */
  readonly control: ChannelInfo;
  /** One document for each collection. */
  readonly catalog: ChannelInfo;
}

const CONTROL: NewChannel = {
  name: 'control',
  kind: 'text',
  topic: 'DiscoDB: which process may write. Do not post here.',
};
const CATALOG: NewChannel = {
  name: 'catalog',
  kind: 'text',
  topic: 'DiscoDB: one document for each collection. Do not post here.',
};

/** Finds DiscoDB's own channels by name, the one place where a name counts, and makes what is missing. */
export async function findSystemChannels(store: Store, env: Env): Promise<SystemChannels> {
  const all = await store.channels();
  const found = await locateSystemChannels(store, all);
  for (const twin of found.emptyTwins) await removeTwin(store, env, twin);
  const category = found.category ?? (await store.createChannel({ name: SYSTEM_CATEGORY, kind: 'category' }));
  const make = (channel: NewChannel) => store.createChannel({ ...channel, parentId: category.id });
  const control = found.control ?? (await make(CONTROL));
  const catalog = found.catalog ?? (await make(CATALOG));
  return { all, category, control, catalog };
}

/** What is there of DiscoDB's own channels, and what a creation whose answer was lost, and that was repeated, left. */
export interface LocatedChannels {
  readonly category: ChannelInfo | undefined;
  readonly control: ChannelInfo | undefined;
  readonly catalog: ChannelInfo | undefined;
  readonly emptyTwins: readonly ChannelInfo[];
  /** Twins that hold something: which of them is meant cannot be told for sure. */
  readonly filledTwins: readonly ChannelInfo[];
}

/** Writes nothing. */
export async function locateSystemChannels(store: Store, all: readonly ChannelInfo[]): Promise<LocatedChannels> {
  const categories = all.filter(({ kind, name }) => kind === 'category' && name === SYSTEM_CATEGORY);
  const inhabited = categories.filter(({ id }) => all.some(({ parentId }) => parentId === id));
  const category = oldest(inhabited) ?? oldest(categories);
  const own = all.filter(({ kind, parentId }) => kind === 'text' && category && parentId === category.id);
  const control = await chooseTwin(store, own, CONTROL.name);
  const catalog = await chooseTwin(store, own, CATALOG.name);
  const empty = categories.filter((other) => other !== category && !inhabited.includes(other));
  return {
    category,
    control: control.chosen,
    catalog: catalog.chosen,
    emptyTwins: [...empty, ...control.empty, ...catalog.empty],
    filledTwins: [...inhabited.filter((other) => other !== category), ...control.filled, ...catalog.filled],
  };
}

/** The one with content is meant, else the oldest. */
async function chooseTwin(
  store: Store,
  channels: readonly ChannelInfo[],
  name: string,
): Promise<{ chosen: ChannelInfo | undefined; empty: ChannelInfo[]; filled: ChannelInfo[] }> {
  const twins = channels.filter((channel) => channel.name === name);
  if (twins.length <= 1) return { chosen: twins[0], empty: [], filled: [] };
  const filled: ChannelInfo[] = [];
  for (const twin of twins) {
    if ((await store.pageBefore(twin.id, undefined, 1, 'load')).length > 0) filled.push(twin);
  }
  const chosen = oldest(filled) ?? oldest(twins);
  const others = twins.filter((twin) => twin !== chosen);
  const isFilled = (twin: ChannelInfo) => filled.includes(twin);
  return { chosen, empty: others.filter((twin) => !isFilled(twin)), filled: others.filter(isFilled) };
}

async function removeTwin(store: Store, env: Env, twin: ChannelInfo): Promise<void> {
  env.log.warn({ channel: twin.id, name: twin.name }, 'removing an empty twin of a channel');
  await store.deleteChannel(twin.id);
}

function oldest(channels: readonly ChannelInfo[]): ChannelInfo | undefined {
  return channels.reduce<ChannelInfo | undefined>(
    (first, next) => (!first || BigInt(next.id) < BigInt(first.id) ? next : first),
    undefined,
  );
}
