import { createHash } from 'node:crypto';
import type { Transport } from '../../src/discord/index.ts';
import type { Engine } from '../../src/engine/index.ts';
import type { ChannelId, Draft, Message, MessageId, Store } from '../../src/store/index.ts';
import type { Plant } from './machines.ts';

const NONCE_CHARS = 24;

type Durable = { readonly durable: Promise<void> };
type Append = Store['append'];

/** A process that acknowledges what is still on its way. */
export function acknowledgesEarly(): Plant {
  const early = new Set<PropertyKey>(['insert', 'update', 'delete', 'bulkWrite', 'findAndModify']);
  const hurry = async (answer: Promise<Durable>) => {
    const result = await answer;
    result.durable.catch(() => {});
    return { ...result, durable: Promise.resolve() };
  };
  const plantEngine = (engine: Engine) =>
    new Proxy(engine, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => {
          const answer: unknown = Reflect.apply(member, target, args);
          return early.has(name) ? hurry(answer as Promise<Durable>) : answer;
        };
      },
    });
  return { plantEngine };
}

/** A process that removes the message of a document before it sends the next version of it. */
export function deletesBeforeDurable(): Plant {
  return changedAppend((store) => {
    const standing = new Map<string, MessageId>();
    return async (channel, seal, priority) => {
      const draft = seal();
      const document = documentIn(channel, draft);
      if (document === undefined) return store.append(channel, () => draft, priority);
      const superseded = standing.get(document);
      if (superseded !== undefined) await store.remove(channel, [superseded]);
      const message = await store.append(channel, () => draft, priority);
      standing.set(document, message.id);
      return message;
    };
  });
}

/** Which document of a client stands alone in a message, if one does. */
function documentIn(channel: ChannelId, { content, files }: Draft): string | undefined {
  const id = /^-# discodb 2 doc .*\n-# id (\d+)/s.exec(content)?.[1];
  return files.length === 0 && id !== undefined && content.includes('"log"') ? `${channel} ${id}` : undefined;
}

/** Commits of a channel that are sent with the nonce of the one before. */
const EVERY = 7;

/** A process that gives two commits one nonce, so that Discord answers with the first, and that takes any answer for its own. */
export function reusesNonces(): Plant {
  return changedAppend((store) => {
    const last = new Map<ChannelId, string>();
    let commits = 0;
    return async (channel, seal, priority) => {
      let sent: Draft | undefined;
      const sealing = () => {
        const draft = seal();
        const nonce = ++commits % EVERY === 0 ? (last.get(channel) ?? draft.nonce) : draft.nonce;
        last.set(channel, nonce);
        sent = { ...draft, nonce };
        return sent;
      };
      return asSent(await store.append(channel, sealing, priority), sent!);
    };
  });
}

function asSent(answer: Message, { content, files }: Draft): Message {
  const attachments = files.map(({ name, bytes }) => ({ name, size: bytes.length, url: 'http://discord.invalid/' }));
  return { ...answer, content, attachments };
}

/** A process that gives every try a nonce of its own, so that Discord takes each for a new message. */
export function neverRepeatsNonces(): Plant {
  let tries = 0;
  const wire = (direct: Transport): Transport => {
    return (request, signal) => {
      if (request.method !== 'POST' || !request.url.endsWith('/messages')) return direct(request, signal);
      const { body: sent = [] } = request;
      const hash = createHash('sha256').update(Buffer.concat(sent)).update(`${++tries}`).digest('hex');
      const fresh = `"nonce":"${hash.slice(0, NONCE_CHARS)}"`;
      const body = sent.map((chunk) => {
        const text = Buffer.from(chunk).toString('latin1');
        return Buffer.from(text.replace(/"nonce":"[^"]*"/, fresh), 'latin1');
      });
      return direct({ ...request, body }, signal);
    };
  };
  return { wire };
}

function changedAppend(change: (store: Store) => Append): Plant {
  const plantStore = (store: Store) => {
    const append = change(store);
    return new Proxy(store, {
      get(target, name) {
        if (name === 'append') return append;
        const member: unknown = Reflect.get(target, name, target);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
  };
  return { plantStore };
}
