import type { Env } from '../base/index.ts';
import { type ChannelId, type Message, type MessageId, type Store, StoreError, snowflakeTime } from '../store/index.ts';
import { classify } from './channel-record.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { RecordHeader } from './header.ts';
import type { StoredEntry } from './payload.ts';
import { isProblem, PayloadLoader } from './payload-loader.ts';
import type { RecordFile } from './record.ts';
import type { KeyRing } from './sealer.ts';
import type { LogProblem, RetryMark } from './types.ts';

/** One message, as far as it can be read. */
export interface Inspection {
  readonly postedAt: Date;
  readonly authorId: string;
  /** Absent for what is no record, or a damaged one. */
  readonly header?: RecordHeader;
  readonly files: readonly RecordFile[];
  readonly entries: readonly StoredEntry[];
  readonly marks: readonly RetryMark[];
  readonly checkpoint?: Checkpoint | undefined;
  /** What is wrong with it, if anything. */
  readonly problem?: LogProblem;
}

/** Reads one message; undefined where it or its channel does not exist. Rejects with a StoreError or a MissingKeyError. */
export async function inspectMessage(
  { env, store, keys }: { readonly env: Env; readonly store: Store; readonly keys?: KeyRing | undefined },
  channel: ChannelId,
  id: MessageId,
): Promise<Inspection | undefined> {
  const message = await readIfThere(store, channel, id);
  if (!message) return undefined;
  const about = { postedAt: new Date(snowflakeTime(id)), authorId: message.authorId };
  const nothing = { files: [], entries: [], marks: [] };
  const found = classify(message);
  if (found.kind !== 'record') return { ...about, ...nothing, problem: found.problem };
  const { header, files } = found.parsed;
  const loader = new PayloadLoader(store, channel, keys?.forChannel(channel, env.random));
  for await (const { payload } of loader.loadAll([found], 'read')) {
    if (isProblem(payload)) return { ...about, ...nothing, header, files, problem: payload };
    return { ...about, header, files, ...payload };
  }
  return undefined;
}

async function readIfThere(store: Store, channel: ChannelId, id: MessageId): Promise<Message | undefined> {
  try {
    return await store.read(channel, id, 'read');
  } catch (error) {
    if (error instanceof StoreError && error.code === 'gone') return undefined;
    throw error;
  }
}
