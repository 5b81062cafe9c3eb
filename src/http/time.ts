/** A time as the contract writes it: RFC 3339, UTC, without empty milliseconds. */
export const formatTime = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

export const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** The last moment that RFC 3339 can write. */
export const TIME_MAX_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Reads an RFC 3339 time into milliseconds; undefined when it is none, or there is no such day, hour, minute or second. */
export function parseTime(text: unknown): number | undefined {
  if (typeof text !== 'string' || !RFC_3339.test(text)) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms) || ms > TIME_MAX_MS) return undefined;
  // Date.parse takes February 30th for March 2nd, and 24:00 for the next day.
  const wall = Date.parse(`${text.slice(0, 19)}Z`);
  return !Number.isNaN(wall) && new Date(wall).toISOString().startsWith(text.slice(0, 19)) ? ms : undefined;
}
