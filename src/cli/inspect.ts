import { Command, InvalidArgumentError } from 'commander';
import { createLog, systemEnv } from '../base/index.ts';
import { encode, getField, toExtendedJson } from '../bson/index.ts';
import { type Inspection, inspect, StartError } from '../compose.ts';
import { addDiscordOptions, type DiscordFlags, discordOptions } from './discord-flags.ts';
import { logLevelOption } from './options.ts';
import { exitForUsage, runOnce, STATUS_PROBLEMS, STATUS_WELL } from './process.ts';

interface InspectFlags extends DiscordFlags {
  documents?: boolean;
  logLevel: string;
}

interface MessageName {
  readonly guild?: string;
  readonly channel: string;
  readonly message: bigint;
}

/** What "Copy Message Link" gives. */
const LINK = /^https?:\/\/[^/]+\/channels\/(\d{1,20})\/(\d{1,20})\/(\d{1,20})\/?$/;
const PAIR = /^(\d{1,20})\/(\d{1,20})$/;

export function inspectCommand(): Command {
  const command = new Command('inspect')
    .description(
      'Show what one message holds. Exit status 0: a whole record; 1: something else; 2: it could not be read.',
    )
    .argument('<message>', 'its link, or CHANNEL/MESSAGE', parseMessage)
    .option('--documents', 'show the documents, as Extended JSON')
    .exitOverride(exitForUsage);
  return addDiscordOptions(command)
    .addOption(logLevelOption('warn'))
    .action((name: MessageName, flags: InspectFlags) =>
      runOnce(async () => {
        const options = inGuild(discordOptions(flags), name.guild);
        const found = await inspect(systemEnv(createLog(flags.logLevel)), options, name);
        process.stdout.write(describe(name, found, flags.documents ?? false));
        return found.problem ? STATUS_PROBLEMS : STATUS_WELL;
      }),
    );
}

function parseMessage(text: string): MessageName {
  const link = LINK.exec(text);
  if (link) return { guild: link[1]!, channel: link[2]!, message: BigInt(link[3]!) };
  const pair = PAIR.exec(text);
  if (pair) return { channel: pair[1]!, message: BigInt(pair[2]!) };
  throw new InvalidArgumentError(
    'It is a message link (right-click the message, "Copy Message Link") or CHANNEL/MESSAGE.',
  );
}

/** A link names its guild, so that nobody has to say it twice. */
function inGuild<Options extends ReturnType<typeof discordOptions>>(
  options: Options,
  guild: string | undefined,
): Options {
  if (guild === undefined || options.tokens.length === 0) return options;
  if (options.guilds.length === 0) return { ...options, guilds: [guild] };
  if (options.guilds.includes(guild)) return options;
  throw new StartError(
    `The message stands in the Discord server ${guild}, which is not among those given with --guild.`,
  );
}

function describe({ channel, message }: MessageName, found: Inspection, documents: boolean): string {
  const lines = [
    `message  ${message} in channel ${channel}`,
    `posted   ${found.postedAt.toISOString()} by ${found.authorId}`,
    `status   ${found.problem ? `${found.problem.kind}: ${found.problem.text}` : 'a whole record, all checksums are right'}`,
    ...describeHeader(found),
    ...found.files.map(({ name, size, crc }) => `file     ${name}, ${size} B, crc ${crc}`),
    ...describeCheckpoint(found),
    ...found.entries.map(({ op, recordId, bytes }) => {
      const shown = op === 'put' && documents ? toExtendedJson(bytes) : idOf(bytes);
      return `${op.padEnd(8)} ${recordId}, ${bytes.length} B: ${shown}`;
    }),
    ...found.marks.map(({ lsid, txnNumber, stmtId, result }) => {
      return `retry    session ${Buffer.from(lsid).toString('hex')}, number ${txnNumber}, statement ${stmtId}: ${toExtendedJson(result)}`;
    }),
  ];
  return `${lines.join('\n')}\n`;
}

function describeHeader({ header }: Inspection): string[] {
  if (!header) return [];
  const { kind, epoch, since, seq, entries, documents, superseding, live, nextRecordId, keyId } = header;
  return [
    `record   ${kind}, epoch ${epoch} since ${since}, sequence ${seq}, entries ${entries}`,
    `log      documents ${documents}, superseding ${superseding}, next record id ${nextRecordId}, ` +
      `live records ${live.count} (${live.digest.toString(16).padStart(16, '0')})`,
    ...(keyId === undefined ? [] : [`key      ${keyId}`]),
  ];
}

function describeCheckpoint({ checkpoint }: Inspection): string[] {
  if (!checkpoint) return [];
  const { rows, unconfirmed } = checkpoint;
  const live = rows.filter(({ record }) => record.live > 0).length;
  return [
    `lists    records ${rows.length}, with newest versions ${live}; messages that count for nothing ${unconfirmed.length}`,
  ];
}

function idOf(bytes: Uint8Array): string {
  const id = getField(bytes, '_id');
  return id === undefined ? 'no _id' : toExtendedJson(encode(new Map([['_id', id]])));
}
