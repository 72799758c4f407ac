import { MINUTE } from './calendar.ts';
import { type DateFields, dateOfFields, unparsable } from './fields.ts';
import { type FormatPart, parsedFormatParts } from './format.ts';
import { monthNumber } from './parse.ts';
import { offsetOf, type Zone } from './zone.ts';

/** What a specifier reads, how that goes into the fields, and what it is called when it is not there. */
interface Reader {
  readonly pattern: RegExp;
  readonly store: (fields: DateFields, text: string) => void;
  readonly missing: string;
}

type NumberField = Exclude<keyof DateFields, 'zoneName'>;

const READERS: Readonly<Record<string, Reader>> = {
  Y: digits('year', /^\d{4}/, 'A four digit year'),
  G: digits('isoYear', /^\d{4}/, 'A four digit ISO year'),
  m: digits('month', /^\d{1,2}/, 'A two digit month'),
  d: digits('day', /^\d{1,2}/, 'A two digit day'),
  j: digits('dayOfYear', /^\d{1,3}/, 'A three digit day-of-year'),
  V: digits('isoWeek', /^\d{1,2}/, 'A two digit ISO week'),
  u: digits('isoDay', /^\d/, 'A one digit ISO day of week'),
  H: digits('hour', /^\d{1,2}/, 'A two digit hour'),
  M: digits('minute', /^\d\d/, 'A two digit minute'),
  S: digits('second', /^\d\d/, 'A two digit second'),
  L: {
    pattern: /^\d{1,3}/,
    store: (fields, text) => {
      fields.millisecond = Number(text.padEnd(3, '0'));
    },
    missing: 'A three digit millisecond',
  },
  b: month(/^[a-z]{3}/i),
  B: month(/^[a-z]+/i),
  z: {
    pattern: /^(?:Z|[+-]\d\d(?::?\d\d)?)/i,
    store: (fields, text) => {
      if (/z/i.test(text)) fields.zoneName = text;
      fields.offset = offsetOf(text) ?? 0;
    },
    missing: 'The timezone',
  },
  Z: {
    pattern: /^[+-]?\d{1,4}/,
    store: (fields, text) => {
      fields.offset = Number(text) * MINUTE;
    },
    missing: 'A minute offset from UTC',
  },
};

function digits(field: NumberField, pattern: RegExp, what: string): Reader {
  return {
    pattern,
    store: (fields, text) => {
      fields[field] = Number(text);
    },
    missing: what,
  };
}

function month(pattern: RegExp): Reader {
  return {
    pattern,
    store: (fields, text) => {
      fields.month = monthNumber(text);
    },
    missing: 'A textual month',
  };
}

export type DateParser = (text: string, zone: Zone) => Date;

/** Compiles a format of `$dateFromString`. Throws 18535 and 18536; the parsing throws ConversionFailure. */
export function compileParser(format: string): DateParser {
  const parts = parsedFormatParts(format);
  return (text, zone) => {
    const fields: DateFields = {};
    let at = 0;
    for (const part of parts) at += readPart(part, text, at, fields);
    if (at < text.length) throw unparsable(text, at, 'Trailing data');
    return dateOfFields(fields, text, zone);
  };
}

/** How many characters the part took. */
function readPart(part: FormatPart, text: string, at: number, fields: DateFields): number {
  if (part.specifier === undefined) {
    if (!text.startsWith(part.text, at)) throw unparsable(text, at, 'The format separator does not match');
    return part.text.length;
  }
  if (at >= text.length) throw unparsable(text, at, 'Not enough data available to satisfy format');
  const reader = READERS[part.specifier]!;
  const match = reader.pattern.exec(text.slice(at));
  if (!match) throw unparsable(text, at, `${reader.missing} could not be found`);
  reader.store(fields, match[0]);
  return match[0].length;
}
