import type { Env } from '../base/index.ts';
import type { ChannelId, Store } from '../store/index.ts';
import { Liveness } from './liveness.ts';
import { MarkHorizon } from './mark-horizon.ts';
import { NewestPages } from './pages.ts';
import { PayloadLoader } from './payload-loader.ts';
import { Recovery } from './recover.ts';
import type { KeyRing } from './sealer.ts';
import type { LiveEntry, LogProblem } from './types.ts';

export interface SurveyOptions {
  readonly env: Env;
  readonly store: Store;
  readonly channel: ChannelId;
  readonly keys?: KeyRing | undefined;
}

/** What a reader who takes no part in a log finds in its channel. */
export interface Survey {
  /** Sequence of the newest record that can be read; 0 where there is none. */
  readonly seq: number;
  /** Of the newest record; 0 where there is none. */
  readonly epoch: number;
  /** Of the key that the newest record names. */
  readonly keyId: string | undefined;
  readonly documents: number;
  /** Records that hold the newest version of a document, and records that hold none and have not been removed. */
  readonly live: number;
  readonly superseded: number;
  readonly problems: readonly LogProblem[];
  /** Something was written while the channel was read: what seems to be missing may have been superseded and removed. */
  readonly moved: boolean;
}

/**
 * Recovers a log for its findings alone: nothing is written, removed or begun. Rejects with a StoreError, and with a
 * MissingKeyError where a record cannot be opened.
 */
export async function surveyLog(
  { env, store, channel, keys }: SurveyOptions,
  visit: (entry: LiveEntry) => void,
): Promise<Survey> {
  const problems: LogProblem[] = [];
  const onProblem = (problem: LogProblem) => void problems.push(problem);
  const loader = new PayloadLoader(store, channel, keys?.forChannel(channel, env.random));
  const [pages, liveness] = [new NewestPages(store, channel), new Liveness()];
  const recovery = new Recovery({ env, pages, loader, liveness, horizon: new MarkHorizon(), onProblem }, visit);
  await recovery.run();
  const { newest, dead } = recovery;
  const { documents, live } = liveness;
  if (newest && problems.length === 0 && newest.documents !== documents) {
    const text = `record ${newest.seq} tells of ${newest.documents} documents and ${documents} were found`;
    onProblem({ kind: 'live-set', messageId: undefined, fromSeq: newest.seq, toSeq: newest.seq, text });
  }
  const [before] = await pages.newest('load');
  const [after] = await store.pageBefore(channel, undefined, 1, 'load');
  return {
    seq: newest?.seq ?? 0,
    epoch: newest?.epoch ?? 0,
    keyId: newest?.keyId,
    documents,
    live: live.count,
    superseded: dead.length,
    problems,
    moved: before?.id !== after?.id,
  };
}
