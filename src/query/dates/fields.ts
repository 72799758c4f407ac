import type { CodedError } from '../../base/index.ts';
import { conversionFailure } from '../error.ts';
import { DAY, daysInMonth, HOUR, localDay, localIsoDay, MINUTE, SECOND } from './calendar.ts';
import { fromLocal, type Zone } from './zone.ts';

/** What was read of a date's text so far. The hour may be 24, which is midnight of the next day. */
export interface DateFields {
  year?: number;
  month?: number;
  day?: number;
  dayOfYear?: number;
  isoYear?: number;
  isoWeek?: number;
  isoDay?: number;
  hour?: number;
  minute?: number;
  second?: number;
  millisecond?: number;
  /** Milliseconds east of UTC, and how that was written if by a name: `Z`, `EST`. */
  offset?: number;
  zoneName?: string;
}

/** The instant that fields stand for, in a zone where they name none. Throws ConversionFailure. */
export function dateOfFields(fields: DateFields, text: string, zone: Zone): Date {
  const day = dayOf(fields, text);
  if (fields.offset !== undefined && !zone.isUtc) throw twoZones(fields);
  const hasTime = fields.hour !== undefined || fields.minute !== undefined || fields.second !== undefined;
  if (hasTime && fields.hour === undefined) throw incomplete(text);
  const { hour = 0, minute = 0, second = 0, millisecond = 0 } = fields;
  if (hour > 24 || minute > 59 || second > 60) throw invalid(text, 'The parsed time was invalid');
  const local = day + hour * HOUR + minute * MINUTE + second * SECOND + millisecond;
  return new Date(fields.offset === undefined ? fromLocal(local, zone) : local - fields.offset);
}

function dayOf(fields: DateFields, text: string): number {
  const { year, month, day, dayOfYear, isoYear, isoWeek, isoDay } = fields;
  if (isoYear !== undefined || isoWeek !== undefined || isoDay !== undefined) {
    if (isoYear === undefined || isoWeek === undefined) throw incomplete(text);
    return localIsoDay(isoYear, isoWeek, isoDay ?? 1);
  }
  if (year !== undefined && dayOfYear !== undefined) return localDay(year, 1, 1) + (dayOfYear - 1) * DAY;
  if (year === undefined || month === undefined || day === undefined) throw incomplete(text);
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) {
    throw invalid(text, 'The parsed date was invalid');
  }
  return localDay(year, month, day);
}

function twoZones(fields: DateFields): CodedError {
  return conversionFailure(
    fields.zoneName === undefined
      ? 'you cannot pass in a date/time string with GMT offset together with a timezone argument'
      : `you cannot pass in a date/time string with time zone information ('${fields.zoneName}') together with a timezone argument`,
  );
}

function incomplete(text: string): CodedError {
  return conversionFailure(`an incomplete date/time string has been found, with elements missing: "${text}"`);
}

function invalid(text: string, reason: string): CodedError {
  return unparsable(text, text.length, reason);
}

/** What is wrong at a place in the text. */
export function unparsable(text: string, at: number, reason: string): CodedError {
  return conversionFailure(`Error parsing date string '${text}'; ${at}: ${reason} '${text[at] ?? ''}'`);
}
