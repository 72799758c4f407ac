import { CodedError, type Env } from '../base/index.ts';
import { decode, encodeKey, getField, validate } from '../bson/index.ts';
import { type KeyRing, type LiveEntry, type LogProblem, MissingKeyError, surveyLog } from '../log/index.ts';
import { type ChannelId, type ChannelInfo, type MessageId, readOnlyStore, type Store } from '../store/index.ts';
import { locateSystemChannels, SYSTEM_CATEGORY } from './bootstrap.ts';
import { type CatalogEntry, catalogItem, orphans } from './catalog.ts';
import { nsText } from './collection.ts';

/** A channel that others write to is read again, until it rests or this often. */
const SURVEYS_MAX = 3;

/** Something that is not as it should be. */
export interface Finding {
  /**
   * Of a channel as its log tells (`LogProblem`); `key`: sealed with a key that is not there; `document`: no valid BSON,
   * or an `_id` that is there twice; `catalog`: the catalog contradicts itself or the guild; `orphan`: a channel that
   * belongs to no collection.
   */
  readonly kind: LogProblem['kind'] | 'key' | 'document' | 'catalog' | 'orphan';
  readonly channel?: ChannelId;
  readonly messageId?: MessageId;
  /** The sequences that it touches. */
  readonly fromSeq?: number;
  readonly toSeq?: number;
  readonly text: string;
}

/** What was found in one channel, or, without a channel, in the guild as a whole. */
export interface CheckedPart {
  /** `db.collection`; DiscoDB's own channels are those of the database `discodb`. */
  readonly ns?: string;
  readonly channel?: ChannelId;
  /** Of the newest record; 0 where there is none. */
  readonly epoch: number;
  readonly documents: number;
  /** Records that hold newest versions, and records that can go. */
  readonly live: number;
  readonly superseded: number;
  readonly findings: readonly Finding[];
}

export interface CheckOptions {
  readonly env: Env;
  readonly store: Store;
  readonly keys?: KeyRing | undefined;
}

/**
 * Reads everything that a deployment keeps in its guild, channel by channel, by the rules by which it is recovered, and
 * tells what is wrong. No epoch is claimed and nothing is written. Throws a CodedError where there is nothing to check,
 * and a MissingKeyError where the newest key of the deployment is missing.
 */
export async function* checkDeployment(options: CheckOptions): AsyncGenerator<CheckedPart, void, void> {
  const context = { ...options, store: readOnlyStore(options.store) };
  const all = await context.store.channels();
  const own = await locateSystemChannels(context.store, all);
  if (!own.control && !own.catalog) {
    throw new CodedError('NamespaceNotFound', 'DiscoDB keeps nothing in this Discord server.');
  }
  const findings: Finding[] = own.filledTwins.map(({ id, name }) => {
    return { kind: 'catalog', channel: id, text: `${name} is there twice, and this one holds something too` };
  });
  const control = own.control && (await checkControl(context, own.control.id));
  if (control) yield control;
  else findings.push(missing('control'));
  const parts: CheckedPart[] = [];
  if (own.catalog) {
    const catalog = new CatalogReading();
    parts.push(await checkChannel(context, `${SYSTEM_CATEGORY}.catalog`, own.catalog.id, () => catalog.begin()));
    yield parts[0]!;
    const there = new Set(all.map(({ id }) => id));
    for (const { info, channel } of catalog.entries()) {
      if (!there.has(channel)) continue;
      const part = await checkChannel(context, nsText(info.ns), channel, documentCheck);
      parts.push({ ...part, findings: [] });
      yield part;
    }
    // Of a catalog that cannot be opened nothing follows.
    if (parts[0]!.findings.every(({ kind }) => kind !== 'key')) findings.push(...catalog.compare(all));
  } else {
    findings.push(missing('catalog'));
  }
  if (control) findings.push(...(await unclaimed(context, control, parts)));
  yield { epoch: 0, documents: 0, live: 0, superseded: 0, findings };
}

function missing(name: string): Finding {
  return { kind: 'catalog', text: `the channel ${name} of the category ${SYSTEM_CATEGORY} is missing` };
}

/** Epochs that no fence began. The control channel is read again first: a process may have started meanwhile. */
async function unclaimed(
  context: CheckOptions,
  control: CheckedPart,
  parts: readonly CheckedPart[],
): Promise<Finding[]> {
  const beyond = (claimed: number) => parts.filter(({ epoch }) => epoch > claimed);
  if (beyond(control.epoch).length === 0 || control.channel === undefined) return [];
  const { epoch: claimed } = await checkControl(context, control.channel);
  return beyond(claimed).map(({ ns, channel, epoch }) => {
    const text = `${ns} has records of epoch ${epoch}, and the control channel tells of ${claimed} epochs`;
    return { kind: 'epoch', text, ...(channel !== undefined && { channel }) };
  });
}

/** Who looks at the documents of a channel. */
interface Visitor {
  visit(entry: LiveEntry): void;
  readonly findings: readonly Finding[];
}

async function checkControl(context: CheckOptions, channel: ChannelId): Promise<CheckedPart> {
  const survey = await surveyLog({ ...context, channel }, () => {});
  if (survey.keyId !== undefined && !context.keys?.has(survey.keyId)) throw new MissingKeyError(survey.keyId);
  const findings = survey.problems.map((problem) => asFinding(channel, problem));
  return {
    ns: `${SYSTEM_CATEGORY}.control`,
    channel,
    epoch: survey.epoch,
    documents: 0,
    live: 0,
    superseded: 0,
    findings,
  };
}

async function checkChannel(
  context: CheckOptions,
  ns: string,
  channel: ChannelId,
  begin: () => Visitor,
): Promise<CheckedPart> {
  for (let surveys = 1; ; surveys++) {
    const visitor = begin();
    try {
      const survey = await surveyLog({ ...context, channel }, (entry) => visitor.visit(entry));
      const findings = [...survey.problems.map((problem) => asFinding(channel, problem)), ...visitor.findings];
      if (survey.moved && findings.length > 0 && surveys < SURVEYS_MAX) continue;
      const { epoch, documents, live, superseded } = survey;
      return { ns, channel, epoch, documents, live, superseded, findings };
    } catch (error) {
      if (!(error instanceof MissingKeyError)) throw error;
      const findings: Finding[] = [{ kind: 'key', channel, text: error.message }];
      return { ns, channel, epoch: 0, documents: 0, live: 0, superseded: 0, findings };
    }
  }
}

function asFinding(channel: ChannelId, { kind, messageId, fromSeq, toSeq, text }: LogProblem): Finding {
  return { kind, channel, text, ...(messageId !== undefined && { messageId }), ...(toSeq > 0 && { fromSeq, toSeq }) };
}

/** Whether each document is whole, and each `_id` there once. */
function documentCheck(): Visitor {
  const ids = new Set<string>();
  const findings: Finding[] = [];
  const report = (entry: LiveEntry, text: string) => findings.push(documentFinding('document', entry, text));
  return {
    findings,
    visit(entry) {
      const broken = attempt(() => validate(entry.bytes));
      if (broken) return void report(entry, `is damaged: ${broken}`);
      const id = getField(entry.bytes, '_id');
      if (id === undefined) return void report(entry, 'has no _id');
      const key = encodeKey(id);
      if (ids.has(key)) report(entry, 'has the _id of another one');
      ids.add(key);
    },
  };
}

/** The catalog as it is read, whatever is wrong with it. */
class CatalogReading implements Visitor {
  #entries: CatalogEntry[] = [];
  #dropped: ChannelId[] = [];
  findings: Finding[] = [];

  /** Forgets what an earlier reading found. */
  begin(): Visitor {
    this.#entries = [];
    this.#dropped = [];
    this.findings = [];
    return this;
  }

  entries(): readonly CatalogEntry[] {
    return this.#entries;
  }

  dropped(): readonly ChannelId[] {
    return this.#dropped;
  }

  visit(entry: LiveEntry): void {
    const broken = attempt(() => {
      const item = catalogItem(decode(entry.bytes));
      if ('dropped' in item) this.#dropped.push(item.dropped);
      else if ('entry' in item) this.#entries.push(item.entry);
    });
    if (broken) this.findings.push(documentFinding('catalog', entry, `is no entry of the catalog: ${broken}`));
  }

  /** What is wrong between the entries, and between them and the guild. */
  compare(all: readonly ChannelInfo[]): Finding[] {
    const findings: Finding[] = [];
    const channels = new Map(all.map((channel) => [channel.id, channel]));
    const owners = new Map<string, string>();
    for (const { info, channel } of this.#entries) {
      const ns = nsText(info.ns);
      if (!channels.has(channel)) {
        findings.push({ kind: 'catalog', channel, text: `${ns} is gone: its channel ${channel} does not exist` });
      }
      for (const owned of [`channel ${channel}`, `uuid ${Buffer.from(info.uuid).toString('hex')}`]) {
        const other = owners.get(owned);
        if (other) findings.push({ kind: 'catalog', channel, text: `${ns} and ${other} have the same ${owned}` });
        owners.set(owned, ns);
      }
    }
    for (const channel of this.#dropped.filter((id) => channels.has(id))) {
      findings.push({ kind: 'orphan', channel, text: `channel ${channel} is left of a dropped collection` });
    }
    for (const { id, name } of orphans(this, all)) {
      const text = `channel ${id} (${name}) is a collection's, and the catalog does not know it`;
      findings.push({ kind: 'orphan', channel: id, text });
    }
    return findings;
  }
}

function documentFinding(kind: Finding['kind'], { recordId, placement }: LiveEntry, what: string): Finding {
  const { seq, messageId } = placement.record;
  const text = `document ${recordId} in record ${seq} ${what}`;
  return { kind, fromSeq: seq, toSeq: seq, text, ...(messageId !== undefined && { messageId }) };
}

/** What a CodedError says, or undefined where there was none. */
function attempt(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return error.message;
  }
}
