/** A date as MongoDB's `$toString` prints it: ISO 8601 with milliseconds, in UTC. */
export function dateText(date: Date): string {
  return date.toISOString();
}
