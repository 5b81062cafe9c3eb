const numbers = new Intl.NumberFormat();

export const numberText = (value: number): string => numbers.format(value);

/** A price in minor units, as people of here write it; without a currency as a plain number. */
export function priceText(minor: number, currency: string | undefined): string {
  if (currency === undefined) return numberText(minor);
  const format = new Intl.NumberFormat(undefined, { style: 'currency', currency });
  return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

const two = (value: number): string => String(value).padStart(2, '0');

/** A span as a clock shows it: `04:59`, `1:04:59`, `2 d 04:59:00`. Rounded up, so that 00:00 means now. */
export function spanText(ms: number): string {
  const s = Math.max(0, Math.ceil(ms / 1_000));
  const [days, hours, minutes] = [
    Math.floor(s / 86_400),
    Math.floor(s / 3_600) % 24,
    Math.floor(s / 60) % 60,
  ];
  const short = `${two(minutes)}:${two(s % 60)}`;
  if (days > 0) return `${days} d ${two(hours)}:${short}`;
  return hours > 0 ? `${hours}:${short}` : short;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export const clockText = (time: number): string => clock.format(time);
export const momentText = (time: number): string => moment.format(time);

/** `1 item`, `3 items`. */
export const countText = (count: number, one: string, more = `${one}s`): string =>
  `${numberText(count)} ${count === 1 ? one : more}`;
