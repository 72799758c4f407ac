import { Command } from 'commander';
import { createLog, systemEnv } from '../base/index.ts';
import { type CheckedPart, check, type Finding } from '../compose.ts';
import { addDiscordOptions, type DiscordFlags, discordOptions } from './discord-flags.ts';
import { logLevelOption } from './options.ts';
import { exitForUsage, runOnce, STATUS_PROBLEMS, STATUS_WELL } from './process.ts';

interface CheckFlags extends DiscordFlags {
  json?: boolean;
  logLevel: string;
}

export function checkCommand(): Command {
  const command = new Command('check')
    .description(
      'Read everything that is kept in Discord and tell what is wrong with it. Writes nothing. ' +
        'Exit status 0: nothing is wrong; 1: something is; 2: it could not be checked.',
    )
    .option('--json', 'one JSON object instead of text')
    .exitOverride(exitForUsage);
  return addDiscordOptions(command)
    .addOption(logLevelOption('warn'))
    .action((flags: CheckFlags) =>
      runOnce(async () => {
        const parts: CheckedPart[] = [];
        await check(systemEnv(createLog(flags.logLevel)), discordOptions(flags), (part) => {
          parts.push(part);
          if (!flags.json) process.stdout.write(describePart(part));
        });
        const problems = parts.reduce((sum, { findings }) => sum + findings.length, 0);
        process.stdout.write(flags.json ? toJson(parts, problems) : describeSum(parts, problems));
        return problems > 0 ? STATUS_PROBLEMS : STATUS_WELL;
      }),
    );
}

function describePart({ ns, epoch, documents, live, superseded, findings }: CheckedPart): string {
  const records = `${count(documents, 'document')} in ${count(live, 'record')}, ${superseded} superseded`;
  const about = `${ns}: ${records}, epoch ${epoch}\n`;
  return (ns === undefined ? '' : about) + findings.map(describeFinding).join('');
}

function describeFinding({ kind, fromSeq, toSeq, messageId, channel, text }: Finding): string {
  const sequences = fromSeq === toSeq ? `sequence ${fromSeq}` : `sequences ${fromSeq} to ${toSeq}`;
  const place = [
    channel === undefined ? '' : `channel ${channel}`,
    messageId === undefined ? '' : `message ${messageId}`,
    fromSeq === undefined ? '' : sequences,
  ];
  return `  ${kind}: ${text} (${place.filter(Boolean).join(', ') || 'guild'})\n`;
}

function describeSum(parts: readonly CheckedPart[], problems: number): string {
  const channels = parts.filter(({ ns }) => ns !== undefined).length;
  return `${problems === 0 ? 'No problems' : count(problems, 'problem')} in ${count(channels, 'channel')}.\n`;
}

/** Message ids as strings: they are beyond what JSON's readers keep exactly. */
function toJson(parts: readonly CheckedPart[], problems: number): string {
  const plain = (_: string, value: unknown) => (typeof value === 'bigint' ? value.toString() : value);
  return `${JSON.stringify({ problems, parts }, plain, 2)}\n`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
