import { assert, InvariantError } from '../base/index.ts';
import {
  CHANNEL_NAME_CHARS_MAX,
  CONTENT_CHARS_MAX,
  FILE_BYTES_MAX,
  FILES_MAX,
  NONCE_CHARS_MAX,
  PAGE_MESSAGES_MAX,
  REQUEST_BYTES_MAX,
  REQUEST_OVERHEAD_BYTES,
  TOPIC_CHARS_MAX,
} from './limits.ts';
import { type Draft, type Message, type MessageId, type Store, StoreError, type StoreEvent } from './port.ts';

const PRINTABLE_ASCII = /^[\x20-\x7e\n]*$/;
const FILE_NAME = /^[a-z0-9][a-z0-9.]*$/;

/** `store` with both sides of its contract asserted: what is asked of it, and what it answers. */
export function checkedStore(store: Store): Store {
  return {
    channels: () => checkedErrors(store.channels()),
    createChannel(channel) {
      assert(channel.name.length > 0 && channel.name.length <= CHANNEL_NAME_CHARS_MAX, 'channel name: 1 to 100 chars');
      assert((channel.topic ?? '').length <= TOPIC_CHARS_MAX, 'channel topic: at most 1024 chars');
      return checkedErrors(store.createChannel(channel));
    },
    deleteChannel: (id) => checkedErrors(store.deleteChannel(id)),
    async append(channel, seal, priority) {
      let sealed = 0;
      const answer = await checkedErrors(
        store.append(
          channel,
          () => {
            assert(++sealed === 1, 'seal is called once');
            const draft = seal();
            checkDraft(draft);
            return draft;
          },
          priority,
        ),
      );
      assert(sealed === 1, 'seal is called before the answer');
      return answer;
    },
    async pageBefore(channel, before, limit, priority) {
      checkLimit(limit);
      const page = await checkedErrors(store.pageBefore(channel, before, limit, priority));
      checkPage(page, limit);
      assert(before === undefined || page.every(({ id }) => id < before), 'a page before an id lies below it');
      return page;
    },
    async pageAfter(channel, after, limit, priority) {
      checkLimit(limit);
      const page = await checkedErrors(store.pageAfter(channel, after, limit, priority));
      checkPage(page, limit);
      assert(
        page.every(({ id }) => id > after),
        'a page after an id lies above it',
      );
      return page;
    },
    async read(channel, id, priority) {
      const message = await checkedErrors(store.read(channel, id, priority));
      assert(message === undefined || message.id === id, 'the message read is the message asked for');
      return message;
    },
    async download(channel, message, attachment, priority) {
      const bytes = await checkedErrors(store.download(channel, message, attachment, priority));
      assert(bytes === undefined || bytes.length === attachment.size, 'an attachment is as long as it says');
      return bytes;
    },
    remove(channel, ids: readonly MessageId[]) {
      assert(new Set(ids).size === ids.length, 'no message is removed twice in one call');
      return checkedErrors(store.remove(channel, ids));
    },
    watch: (listener) =>
      store.watch((event) => {
        checkEvent(event);
        listener(event);
      }),
    close: () => checkedErrors(store.close()),
  };
}

async function checkedErrors<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    assert(error instanceof StoreError || error instanceof InvariantError, `not a StoreError: ${error}`);
    throw error;
  }
}

function checkDraft(draft: Draft): void {
  const { content, files, nonce } = draft;
  assert(PRINTABLE_ASCII.test(content), 'content is printable ASCII');
  assert(content.trim() === content, 'content survives the trimming of its ends');
  assert(content.length <= CONTENT_CHARS_MAX, `content: at most ${CONTENT_CHARS_MAX} chars, not ${content.length}`);
  assert(content.length > 0 || files.length > 0, 'a message holds something');
  assert(nonce.length > 0 && nonce.length <= NONCE_CHARS_MAX, `nonce: 1 to ${NONCE_CHARS_MAX} chars`);
  assert(PRINTABLE_ASCII.test(nonce), 'nonce is printable ASCII');
  assert(files.length <= FILES_MAX, `at most ${FILES_MAX} files`);
  assert(new Set(files.map(({ name }) => name)).size === files.length, 'file names differ');
  for (const file of files) {
    assert(FILE_NAME.test(file.name), `Discord would rewrite the file name ${file.name}`);
    assert(file.bytes.length > 0 && file.bytes.length <= FILE_BYTES_MAX, 'file: 1 byte to 10 MiB');
  }
  const bytes = files.reduce((sum, file) => sum + file.bytes.length, content.length);
  assert(bytes + REQUEST_OVERHEAD_BYTES <= REQUEST_BYTES_MAX, 'the request stays below 25 MiB');
}

function checkLimit(limit: number): void {
  assert(Number.isInteger(limit) && limit >= 1 && limit <= PAGE_MESSAGES_MAX, 'page limit: 1 to 100');
}

function checkPage(page: readonly Message[], limit: number): void {
  assert(page.length <= limit, 'a page holds no more than was asked for');
  for (let at = 1; at < page.length; at++) assert(page[at - 1]!.id > page[at]!.id, 'a page is newest first');
}

function checkEvent(event: StoreEvent): void {
  if (event.kind === 'deleted') assert(event.ids.length > 0, 'a deletion names what was deleted');
}
