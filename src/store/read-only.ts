import { type Store, StoreError } from './port.ts';

/** `store` for those who only look: whatever would change Discord is refused here. */
export function readOnlyStore(store: Store): Store {
  const refuse = async (): Promise<never> => {
    throw new StoreError('refused', 'this process only reads');
  };
  return {
    channels: () => store.channels(),
    createChannel: refuse,
    deleteChannel: refuse,
    append: refuse,
    remove: refuse,
    pageBefore: (channel, before, limit, priority) => store.pageBefore(channel, before, limit, priority),
    pageAfter: (channel, after, limit, priority) => store.pageAfter(channel, after, limit, priority),
    read: (channel, id, priority) => store.read(channel, id, priority),
    download: (channel, message, attachment, priority) => store.download(channel, message, attachment, priority),
    watch: (listener) => store.watch(listener),
    close: () => store.close(),
  };
}
