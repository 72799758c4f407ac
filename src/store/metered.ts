import type { Store } from './port.ts';

/** What a store was asked, counted up. Pages and downloads that a local cache answered count as well. */
export interface StoreRequests {
  pages: number;
  messages: number;
  downloads: number;
  appends: number;
}

/** `store`, and what is asked of it through this one. */
export function meteredStore(store: Store): { readonly store: Store; readonly requests: StoreRequests } {
  const requests: StoreRequests = { pages: 0, messages: 0, downloads: 0, appends: 0 };
  const metered: Store = {
    channels: () => store.channels(),
    createChannel: (channel) => store.createChannel(channel),
    deleteChannel: (id) => store.deleteChannel(id),
    append(channel, seal, priority) {
      requests.appends++;
      return store.append(channel, seal, priority);
    },
    pageBefore(channel, before, limit, priority) {
      requests.pages++;
      return store.pageBefore(channel, before, limit, priority);
    },
    pageAfter(channel, after, limit, priority) {
      requests.pages++;
      return store.pageAfter(channel, after, limit, priority);
    },
    read(channel, id, priority) {
      requests.messages++;
      return store.read(channel, id, priority);
    },
    download(channel, message, attachment, priority) {
      requests.downloads++;
      return store.download(channel, message, attachment, priority);
    },
    remove: (channel, ids) => store.remove(channel, ids),
    watch: (listener) => store.watch(listener),
    close: () => store.close(),
  };
  return { store: metered, requests };
}
