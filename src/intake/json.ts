import type { Pace } from './pace.ts';
import { placeOf, type Read } from './text.ts';

/**
 * A JSON reader for what people write: it says where a text is broken, refuses what JSON.parse settles silently (a field that is
 * given twice, half of a surrogate pair, a number past what a double holds), and reads a large text in turns. Objects have no
 * prototype, so that `__proto__` is a field like any other.
 */

type Container = unknown[] | Record<string, unknown>;

/** Nothing that is read here nests deeper. */
const DEPTH_MAX = 16;
/** Nor has more fields: those of 1 KiB of an item's data are fewer. */
const FIELDS_MAX = 256;
/** Characters of a field's name that a sentence repeats. */
const NAME_SHOWN_MAX = 64;
/** Values between two looks at the clock. */
const LOOK_EVERY = 512;
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** JSON escapes it, or must not have it: then JSON.parse reads the string. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
const UNUSUAL = /[\\\u0000-\u001f]/;
const LONE_SURROGATE = /\p{Surrogate}/u;
const ENDS = { '[': ']', '{': '}' } as const;
const WORDS: readonly [string, unknown][] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

class Fault extends Error {
  readonly at: number;
  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** Reads a JSON text; a fault is "line 3, column 7: …". */
export async function readJson(text: string, pace: Pace): Promise<Read<unknown>> {
  const reader = new Reader(text);
  try {
    for (let values = 1; !reader.next(); values++)
      if (values % LOOK_EVERY === 0 && pace.isDue()) await pace.rest();
    return { value: reader.value };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { fault: `${placeOf(text, error.at)}: ${error.message}` };
  }
}

interface Open {
  readonly container: Container;
  key: string;
  fields: number;
}

class Reader {
  value: unknown;
  readonly #text: string;
  readonly #open: Open[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Reads one value and what closes behind it. True when all is read. Throws a Fault. */
  next(): boolean {
    const top = this.#open.at(-1);
    if (top !== undefined && !Array.isArray(top.container)) {
      top.key = this.#readKey(top.container);
      if (++top.fields > FIELDS_MAX) this.#fail(`an object has at most ${FIELDS_MAX} fields`);
    }
    this.#skip(SPACE);
    const sign = this.#text[this.#at];
    if (sign !== '{' && sign !== '[') {
      this.#put(sign === '"' ? this.#readString() : this.#readWord());
      return this.#close();
    }
    if (this.#open.length === DEPTH_MAX) this.#fail(`at most ${DEPTH_MAX} levels are read`);
    this.#at++;
    const container: Container = sign === '[' ? [] : Object.create(null);
    this.#open.push({ container, key: '', fields: 0 });
    if (!this.#take(ENDS[sign])) return false;
    this.#open.pop();
    this.#put(container);
    return this.#close();
  }

  #fail(message: string, at = this.#at): never {
    throw new Fault(at, at >= this.#text.length ? `the text ends here, and ${message}` : message);
  }

  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #take(sign: string): boolean {
    this.#skip(SPACE);
    if (this.#text[this.#at] !== sign) return false;
    this.#at++;
    return true;
  }

  #readKey(container: Record<string, unknown>): string {
    this.#skip(SPACE);
    const from = this.#at;
    if (this.#text[from] !== '"') this.#fail('the name of a field is expected, in quotation marks');
    const key = this.#readString();
    if (key in container)
      this.#fail(`the field ${JSON.stringify(key.slice(0, NAME_SHOWN_MAX))} is given twice`, from);
    if (!this.#take(':')) this.#fail('a colon is expected');
    return key;
  }

  #readString(): string {
    const [text, from] = [this.#text, this.#at];
    let end = text.indexOf('"', from + 1);
    while (end > 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
    if (end < 0) this.#fail('the text that begins here has no closing quotation mark', from);
    this.#at = end + 1;
    const raw = text.slice(from, this.#at);
    if (!UNUSUAL.test(raw)) return raw.slice(1, -1);
    const value =
      unescaped(raw) ??
      this.#fail('this text has a raw control character, or an escape that JSON does not know', from);
    if (LONE_SURROGATE.test(value)) this.#fail('this text has half of a surrogate pair', from);
    return value;
  }

  /** A number, true, false or null. */
  #readWord(): unknown {
    for (const [word, value] of WORDS) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    const from = this.#at;
    const number = this.#skip(NUMBER);
    if (number === '') this.#fail('a value is expected');
    const value = Number(number);
    return Number.isFinite(value) ? value : this.#fail('this number is too large', from);
  }

  #put(value: unknown): void {
    const top = this.#open.at(-1);
    if (top === undefined) this.value = value;
    else if (Array.isArray(top.container)) top.container.push(value);
    else top.container[top.key] = value;
  }

  /** Behind a value: closes what ends here. True at the end of the text. */
  #close(): boolean {
    for (let top = this.#open.at(-1); top !== undefined; top = this.#open.at(-1)) {
      if (this.#take(',')) return false;
      const isList = Array.isArray(top.container);
      if (!this.#take(ENDS[isList ? '[' : '{']))
        this.#fail(`a comma or the end of the ${isList ? 'list' : 'object'} is expected`);
      this.#open.pop();
      this.#put(top.container);
    }
    this.#skip(SPACE);
    return this.#at === this.#text.length || this.#fail('nothing more is expected');
  }
}

/** Whether an odd number of backslashes stands before it. */
function isEscaped(text: string, at: number): boolean {
  let from = at;
  while (text[from - 1] === '\\') from--;
  return (at - from) % 2 === 1;
}

function unescaped(raw: string): string | undefined {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
}
