import type { CommanderError } from 'commander';
import type { Log } from '../base/index.ts';
import { StartError } from '../compose.ts';

/** Something that runs until it is told to stop. */
export interface Running {
  close(): Promise<void>;
}

/**
 * Starts, and on SIGTERM or SIGINT stops: exit 0. A second signal ends the process at once. What a person can mend is
 * said in one line, exit 1; anything else is a bug and shows where it is.
 */
export async function runUntilSignal(log: Log, start: () => Promise<Running>): Promise<void> {
  try {
    const running = await start();
    const stop = (signal: string) => {
      log.info({ signal }, 'stopping');
      process.once(signal, () => process.exit(1));
      running.close().then(
        () => process.exit(0),
        (error) => {
          log.fatal({ err: error }, 'stopped with an error');
          process.exit(1);
        },
      );
    };
    for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, stop);
  } catch (error) {
    tell(error);
    process.exit(1);
  }
}

/** Exit statuses of commands that judge something. */
export const STATUS_WELL = 0;
export const STATUS_PROBLEMS = 1;
const STATUS_CANNOT_RUN = 2;

/** Runs a command to its end; the process ends with the status that it returns. */
export async function runOnce(command: () => Promise<number>): Promise<void> {
  let status = STATUS_CANNOT_RUN;
  try {
    status = await command();
  } catch (error) {
    tell(error);
  }
  process.stdout.write('', () => process.exit(status));
}

/** Ends the process after a wrong command line, which is no judgement; or after `--help`. */
export function exitForUsage({ exitCode }: CommanderError): never {
  process.exit(exitCode === 0 ? STATUS_WELL : STATUS_CANNOT_RUN);
}

function tell(error: unknown): void {
  process.stderr.write(`discodb: ${isMendable(error) ? error.message : (error as Error).stack}\n`);
}

function isMendable(error: unknown): error is Error {
  return error instanceof StartError;
}
