import { isUtf8 } from 'node:buffer';

/** What was read, or why it cannot be: a part of a sentence for people. */
export type Read<T> = { readonly value: T } | { readonly fault: string };

const LINE_FEED = 0x0a;

/** The text of a body: UTF-8, with or without a byte-order mark. No byte is replaced: a name would be saved with a hole in it. */
export function readText(bytes: Uint8Array): Read<string> {
  if (isUtf8(bytes)) return { value: new TextDecoder().decode(bytes) };
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    return { fault: 'the body must be UTF-8; this one is UTF-16' };
  return { fault: `the body must be UTF-8: line ${brokenLine(bytes)} has a byte that is not` };
}

/** A line feed is never a part of another character, so that each line can be looked at by itself. */
function brokenLine(bytes: Uint8Array): number {
  for (let line = 1, from = 0; ; line++) {
    const end = bytes.indexOf(LINE_FEED, from);
    if (end < 0 || !isUtf8(bytes.subarray(from, end))) return line;
    from = end + 1;
  }
}

/** Where in a text something is, for people: both count from 1, columns in UTF-16 units. */
export function placeOf(text: string, at: number): string {
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  return `line ${line}, column ${at - before.lastIndexOf('\n')}`;
}
