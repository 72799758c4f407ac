import type { Env } from '../base/index.ts';
import { type ChannelId, type MessageId, type Store, StoreError } from '../store/index.ts';
import { type ChannelRecord, classify, newestFirst } from './channel-record.ts';
import { encodeContent, type RecordHeader } from './header.ts';
import { nonceOf } from './nonce.ts';
import { NewestPages } from './pages.ts';
import { fenceText } from './record.ts';
import type { KeyRing } from './sealer.ts';

/** Epochs tried before giving up against others who claim at the same moment. */
const CLAIMS_MAX = 5;
const CLAIM_BYTES = 8;
const INSTANCE_LINE = /^-# instance ([0-9a-f]{1,64})$/m;
const RELEASED_LINE = '-# released';

/** A record of the control channel: who owns the guild, and whether it still wants to. */
export interface Fence {
  readonly header: RecordHeader;
  readonly messageId: MessageId;
  /** Identity of the data directory whose process posted it. */
  readonly instance: string | undefined;
  readonly released: boolean;
}

export interface FenceContext {
  readonly store: Store;
  readonly channel: ChannelId;
  readonly env: Env;
  /** Named in the fence, so that a process without the key is refused before it writes anything. */
  readonly keys?: KeyRing | undefined;
  readonly keyId?: string | undefined;
  readonly instance?: string | undefined;
}

/**
 * Appends a fence after `before`: with a higher epoch where one is claimed (records of lower epochs that come later do
 * not count), with the same epoch where its owner renews or releases it.
 */
export async function appendFence(
  context: FenceContext,
  before: RecordHeader | undefined,
  state: 'claimed' | 'renewed' | 'released' = 'claimed',
): Promise<Fence> {
  const { store, channel, env, instance } = context;
  const keyId = context.keyId ?? context.keys?.keyId;
  const claim = Buffer.from(env.random.bytes(CLAIM_BYTES)).toString('hex');
  let { epoch, seq } = before ?? { epoch: 0, seq: 0 };
  for (let tries = 0; tries < CLAIMS_MAX; tries++) {
    if (state === 'claimed') epoch++;
    const header = fenceHeader(epoch, ++seq, keyId);
    const content = encodeFence(header, { claim, instance, state });
    const nonce = nonceOf(channel, epoch, seq);
    const answer = await store.append(channel, () => ({ content, files: [], nonce }));
    // The nonce is the same for everyone who claims this epoch: then Discord answers with the fence of the first.
    if (answer.content === content) return { header, messageId: answer.id, instance, released: state === 'released' };
  }
  throw new StoreError('refused', `${CLAIMS_MAX} epochs were claimed by others while this process tried`);
}

export interface FenceBody {
  /** Tells two claims of one epoch apart. */
  readonly claim: string;
  readonly instance?: string | undefined;
  readonly state: 'claimed' | 'renewed' | 'released';
}

/** The body says it to people, too. */
export function encodeFence(header: RecordHeader, { claim, instance, state }: FenceBody): string {
  const { epoch } = header;
  const words = {
    claimed: fenceText(epoch),
    renewed: `Epoch ${epoch} goes on.`,
    released: `Epoch ${epoch} has ended.`,
  };
  const lines = [words[state], `-# claim ${claim}`];
  if (instance !== undefined) lines.push(`-# instance ${instance}`);
  if (state === 'released') lines.push(RELEASED_LINE);
  return encodeContent(header, lines.join('\n'));
}

export function fenceHeader(epoch: number, seq: number, keyId?: string): RecordHeader {
  return {
    kind: 'fence',
    epoch,
    since: seq,
    seq,
    entries: 0,
    documents: 0,
    superseding: 0,
    live: { count: 0, digest: 0n },
    nextRecordId: 1,
    ahead: 0,
    ...(keyId !== undefined && { keyId }),
  };
}

/** The newest fence of a control channel; undefined where there is none yet. */
export async function newestFence(store: Store, channel: ChannelId): Promise<Fence | undefined> {
  for await (const page of new NewestPages(store, channel).walk('commit', false)) {
    const fences = page
      .map(classify)
      .filter((found): found is ChannelRecord => found.kind === 'record' && found.parsed.header.kind === 'fence');
    const newest = fences.sort(newestFirst)[0];
    if (newest) return asFence(newest);
  }
  return undefined;
}

function asFence({ message, parsed }: ChannelRecord): Fence {
  const { content, id } = message;
  return {
    header: parsed.header,
    messageId: id,
    instance: INSTANCE_LINE.exec(content)?.[1],
    released: content.split('\n').includes(RELEASED_LINE),
  };
}
