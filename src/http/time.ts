/** A time as the contract writes it: RFC 3339, UTC, without empty milliseconds. */
export const formatTime = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

export const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** Reads an RFC 3339 time into milliseconds; undefined when it is none. */
export function parseTime(text: unknown): number | undefined {
  if (typeof text !== 'string' || !RFC_3339.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
