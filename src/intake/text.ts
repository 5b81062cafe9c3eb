import { isUtf8 } from 'node:buffer';

/** What was read, or why it cannot be: a part of a sentence for people. */
export type Read<T> = { readonly value: T } | { readonly fault: string };

const LINE_FEED = 0x0a;
/** Bytes that are looked at together, before line by line. */
const PART = 4 << 10;

/** The text of a body: UTF-8, with or without a byte-order mark. No byte is replaced: a name would be saved with a hole in it. */
export function readText(bytes: Uint8Array): Read<string> {
  if (isUtf8(bytes)) return { value: new TextDecoder().decode(bytes) };
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    return { fault: 'the body must be UTF-8; this one is UTF-16' };
  return { fault: `the body must be UTF-8: line ${brokenLine(bytes)} has a byte that is not` };
}

function brokenLine(bytes: Uint8Array): number {
  return 1 + countFeeds(bytes, skipGood(bytes, skipGood(bytes, 0, PART), 1));
}

/**
 * Skips parts of at least `size` bytes while they are good. A line feed is never a part of another character, so that what ends with
 * one can be looked at by itself.
 */
function skipGood(bytes: Uint8Array, begin: number, size: number): number {
  for (let from = begin; ; ) {
    const end = bytes.indexOf(LINE_FEED, from + size - 1) + 1;
    if (end === 0 || !isUtf8(bytes.subarray(from, end))) return from;
    from = end;
  }
}

function countFeeds(bytes: Uint8Array, to: number): number {
  let feeds = 0;
  for (let i = 0; i < to; i++) if (bytes[i] === LINE_FEED) feeds++;
  return feeds;
}

/** Where in a text something is, for people: both count from 1, columns in UTF-16 units. */
export function placeOf(text: string, at: number): string {
  let [line, begin] = [1, 0];
  for (let i = 0; i < at; i++) {
    if (text.charCodeAt(i) !== LINE_FEED) continue;
    line++;
    begin = i + 1;
  }
  return `line ${line}, column ${at - begin + 1}`;
}
