/**
 * Dates as expressions see them: time zones, the calendar, arithmetic, texts. Instants are milliseconds since 1970;
 * local times are what the clocks of a zone show.
 */
export {
  addInUtc,
  addToDate,
  dateDifference,
  parseTimeUnit,
  parseWeekday,
  SUNDAY,
  type TimeUnit,
  truncateDate,
  unitLength,
} from './arithmetic.ts';
export * as calendar from './calendar.ts';
export { compileFormat, type DateFormat, ISO_LOCAL, ISO_UTC } from './format.ts';
export { parseDate } from './parse.ts';
export { compileParser, type DateParser } from './parse-format.ts';
export { fromLocal, toLocal, UTC, type Zone, zoneOf } from './zone.ts';
