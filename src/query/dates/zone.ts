import { Temporal } from 'temporal-polyfill';
import { located } from '../error.ts';

/** A time zone: how far its clocks are from UTC, in milliseconds, positive to the east. */
export interface Zone {
  /** Whether it is UTC itself, or `+00:00`. An Olson zone that never differs from UTC is not. */
  readonly isUtc: boolean;
  /** At an instant, in milliseconds since 1970. */
  offset(instant: number): number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const UTC: Zone = { isUtc: true, offset: () => 0 };

const known = new Map<string, Zone>([['UTC', UTC]]);

/** A zone by its Olson name or an offset: `+05:30`, `+0530`, `-03`. Throws 40485 for what is neither. */
export function zoneOf(name: string): Zone {
  const found = known.get(name);
  if (found) return found;
  const offset = offsetOf(name);
  if (offset !== undefined) return fixedZone(offset);
  const zone = isOlsonName(name) ? new OlsonZone(name) : undefined;
  if (!zone) throw located(40485, `unrecognized time zone identifier: "${name}"`);
  known.set(name, zone);
  return zone;
}

/** The milliseconds of `±HH`, `±HHMM` or `±HH:MM`. */
export function offsetOf(text: string): number | undefined {
  const match = /^([+-])(\d\d)(?::?(\d\d))?$/.exec(text);
  if (!match) return undefined;
  const size = Number(match[2]) * HOUR + Number(match[3] ?? 0) * MINUTE;
  return match[1] === '-' ? -size : size;
}

export function fixedZone(offset: number): Zone {
  return offset === 0 ? UTC : { isUtc: false, offset: () => offset };
}

/** What the clocks of a zone show at an instant, as the instant at which those of UTC show it. */
export function toLocal(instant: number, zone: Zone): number {
  return instant + zone.offset(instant);
}

/**
 * The instant at which the clocks of a zone show a local time. Of two, the earlier; a time that is skipped when clocks
 * are put forward is counted from before that.
 */
export function fromLocal(local: number, zone: Zone): number {
  const before = zone.offset(local - DAY);
  if (zone.offset(local - before) === before) return local - before;
  const after = zone.offset(local + DAY);
  return zone.offset(local - after) === after ? local - after : local - before;
}

/** Temporal takes any case, and abbreviations of offsets; MongoDB knows a zone by its exact name. */
function isOlsonName(name: string): boolean {
  if (!/^[A-Z]/.test(name)) return false;
  try {
    return new Temporal.ZonedDateTime(0n, name).timeZoneId === name;
  } catch {
    return false;
  }
}

interface Span {
  readonly from: number;
  readonly until: number;
  readonly offset: number;
}

/** Between two changes of its clocks a zone's offset is one: the spans that were asked for are kept, in their order. */
class OlsonZone implements Zone {
  readonly isUtc = false;
  readonly #name: string;
  readonly #spans: Span[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  offset(instant: number): number {
    let [low, high] = [0, this.#spans.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const span = this.#spans[middle]!;
      if (instant < span.from) high = middle;
      else if (instant >= span.until) low = middle + 1;
      else return span.offset;
    }
    const span = this.#spanAt(instant);
    this.#spans.splice(low, 0, span);
    return span.offset;
  }

  #spanAt(instant: number): Span {
    const moment = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(this.#name);
    const from = moment.add({ nanoseconds: 1 }).getTimeZoneTransition('previous')?.epochMilliseconds;
    const until = moment.getTimeZoneTransition('next')?.epochMilliseconds;
    return {
      from: from ?? Number.NEGATIVE_INFINITY,
      until: until ?? Number.POSITIVE_INFINITY,
      offset: Math.trunc(moment.offsetNanoseconds / 1_000_000),
    };
  }
}
