import { type DestinationStream, type Logger, pino } from 'pino';

export type Log = Logger;

/** Field names whose values never reach a log, at whatever depth a caller might nest them. */
const SECRET_FIELDS = ['token', 'tokens', 'password', 'authorization', 'Authorization', 'payload', 'key'];

/** A JSON-lines log on standard error (standard output belongs to the ready line). */
export function createLog(
  level: string,
  destination: DestinationStream = pino.destination({ fd: 2, sync: true }),
): Log {
  const paths = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);
  return pino({ level, base: null, redact: { paths, censor: '[secret]' } }, destination);
}

export const silentLog: Log = pino({ level: 'silent' });
