export { idsUntil } from './id-lead.ts';
export { type Inspection, inspectMessage } from './inspect.ts';
export { type LogOptions, openLog } from './open-log.ts';
export { OwnedStore } from './owned-store.ts';
export { type LeaseOptions, OwnedError, Ownership } from './ownership.ts';
export { KeyRing, MissingKeyError } from './sealer.ts';
export { type Survey, type SurveyOptions, surveyLog } from './survey.ts';
export type {
  Append,
  Appended,
  Entry,
  FetchedRecord,
  LiveEntry,
  Log,
  LogProblem,
  LogSummary,
  Placement,
  RecordRef,
  Recovered,
  RetryMark,
  Scrubbed,
  Standing,
} from './types.ts';
