import { snowflakeTime } from '../store/index.ts';
import type { LogRecord } from './log-record.ts';
import type { MarkHorizon } from './mark-horizon.ts';

/** No request of a process that is gone arrives later than this. */
const LATE_ARRIVAL_MS = 60 * 60 * 1000;

/** What must be known to judge whether a record may leave the channel. */
export interface RemovalState {
  /** The newest durable record. */
  readonly newest: LogRecord | undefined;
  readonly horizon: MarkHorizon;
  /** Messages that may be records with older versions, but could not be read. */
  readonly hidden: boolean;
  /** Removed by request, but not seen to be gone. */
  readonly unconfirmed: number;
  readonly now: number;
}

/*
 * The rules. A record comes up for removal only after every record that superseded an entry of it is durable; without
 * that, a crash would lose both the old version and the new one. Each rule below names what would fail without it.
 */

/** Without it: a document in the record would be lost. */
export function holdsNewestVersion(record: LogRecord): boolean {
  return record.live > 0;
}

/** Without it: a restart would miss the state of the log, start its sequence over and reuse recordIds and nonces. */
export function carriesTheSummary(record: LogRecord, { newest }: RemovalState): boolean {
  return record === newest;
}

/** Without it: a write repeated by its client after a crash would be executed twice. */
export function answersRepetitions(record: LogRecord, { horizon, now }: RemovalState): boolean {
  if (!record.marks || record.messageId === undefined) return false;
  const postedAt = snowflakeTime(record.messageId);
  return record.marks.some((key) => !horizon.isPast(key, postedAt, now));
}

/**
 * Without it: an older version of a deleted document would come back to life at the next recovery, because it still
 * stands in a record that has other documents, in one that Discord said it removed and did not, or in one that could
 * not be read and may be readable again.
 */
export function keepsDeletedAway(record: LogRecord, { hidden, unconfirmed }: RemovalState): boolean {
  if (record.deletions === 0) return false;
  return hidden || unconfirmed > 0 || record.surviving().size > 0;
}

/**
 * Without it: what a former owner of the log wrote too late would count as soon as nothing in the channel tells that a
 * newer epoch had begun before it. It may still be on its way, Discord may not have removed it, or it stands in the part
 * of the channel that a checkpoint spared the reading of.
 */
export function keepsFormerOwnersAway(record: LogRecord, { hidden, unconfirmed, now }: RemovalState): boolean {
  if (!record.newestOfEpoch || record.messageId === undefined) return false;
  return record.followsUnread || hidden || unconfirmed > 0 || now - snowflakeTime(record.messageId) < LATE_ARRIVAL_MS;
}

/** The record's absence could make others count again: it goes last, when those are seen to be gone. */
export function isGuard(record: LogRecord): boolean {
  return record.deletions > 0 || record.newestOfEpoch;
}

export function guards(record: LogRecord, state: RemovalState): boolean {
  return keepsDeletedAway(record, state) || keepsFormerOwnersAway(record, state);
}

/** The record may go as far as its own contents matter. */
export function isSpent(record: LogRecord, state: RemovalState): boolean {
  return !(holdsNewestVersion(record) || carriesTheSummary(record, state) || answersRepetitions(record, state));
}
