/**
 * The same string in memory of its own. What `split` and `slice` return is, from 13 characters on, a view
 * that keeps the whole message or request line it was cut from alive for as long as it is held.
 */
export function copyOf(text: string): string {
  return Buffer.from(text).toString();
}
