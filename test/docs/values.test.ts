import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test } from 'node:test';
import { readConfig, SetupError } from '../../src/config.ts';
import { at, FILES, type Line, PAGE_LINES, read, rowsOf } from './texts.ts';

/** What a page says of a constant or a variable is what the code says. */

const spansOf = ({ text }: Line) => [...text.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span);

/** Value by file of each constant of this name that is a number. */
const CONSTANTS = new Map<string, Map<string, number>>();
for (const path of FILES.filter((each) => /^src\/.*\.ts$/.test(each))) {
  const NUMBER = /^(?:export )?const ([A-Z][A-Z0-9_]*) = ([\d_.<+*() -]+);/gm;
  for (const [, name = '', sum = ''] of read(path).matchAll(NUMBER)) {
    const value: unknown = new Function(`return ${sum}`)();
    if (!CONSTANTS.has(name)) CONSTANTS.set(name, new Map());
    CONSTANTS.get(name)?.set(path, value as number);
  }
}

/** How a page may write a value; the name of a constant ends in its unit. */
function spellingsOf(name: string, value: number): string[] {
  const plain = (n: number) => [String(n), n.toLocaleString('en')];
  const inUnit = (unit: string, size: number) => plain(value / size).map((n) => `${n} ${unit}`);
  if (/_MS$/.test(name)) return [...inUnit('ms', 1), ...inUnit('s', 1_000), ...inUnit('min', 60_000)];
  if (/BYTES/.test(name)) return [...inUnit('KiB', 1 << 10), ...inUnit('MiB', 1 << 20), ...plain(value)];
  return plain(value);
}

const states = (text: string, spelling: string) =>
  new RegExp(`(?<![\\w.,])${spelling.replaceAll('.', '\\.')}(?![.,]?\\d)`).test(text);

/** The values that a line may mean by a constant: those in the files that it names, or else all that there are. */
function valuesMeant(name: string, line: Line): number[] {
  const byFile = CONSTANTS.get(name) ?? new Map<string, number>();
  const files = spansOf(line).filter((span) => /^src\/.*\.ts$/.test(span));
  return files.length > 0 ? files.flatMap((file) => byFile.get(file) ?? []) : [...new Set(byFile.values())];
}

/** Behind a name in parentheses its value stands right before them, as in "2 s (`MIN_AGE_MS`)"; else anywhere on the line. */
const BEFORE_CHARS = 40;
function placeOfValue(name: string, { text }: Line): string {
  const open = text.indexOf(`(\`${name}\``);
  return open < 0 ? text : text.slice(Math.max(0, open - BEFORE_CHARS), open);
}

test('a page that names a constant says its value on the same line', () => {
  const named = PAGE_LINES.flatMap((line) =>
    spansOf(line)
      .filter((span) => CONSTANTS.has(span))
      .map((name) => ({ name, line })),
  );
  assert.ok(named.length > 40, `only ${named.length} constants are named`);
  const wrong = named.flatMap(({ name, line }) => {
    const values = valuesMeant(name, line);
    const [value] = values;
    if (value === undefined) return [`${name} is in no file of ${at(line)}`];
    if (values.length > 1) return [`${name} is ${values.join(' or ')}: name its file, in ${at(line)}`];
    return spellingsOf(name, value).some((spelling) => states(placeOfValue(name, line), spelling))
      ? []
      : [`${name} is ${value}, in ${at(line)}`];
  });
  assert.deepEqual(wrong, []);
});

/** The variables that the code reads, and what it says of one with a value that cannot be right. */
function readVariables(): Map<string, string> {
  const names = new Set<string>();
  const spy = new Proxy({}, { get: (_, name) => void names.add(String(name)) });
  readConfig(spy);
  const complaintOf = (name: string) => {
    try {
      readConfig({ [name]: '\u00a0?' });
    } catch (error) {
      if (error instanceof SetupError) return error.message;
    }
    return '';
  };
  return new Map([...names].map((name) => [name, complaintOf(name)]));
}

const VARIABLES = readVariables();

test('configuration.md has a row for each variable, with its default and range', () => {
  const rows = new Map(
    rowsOf('docs/configuration.md', (first) => /^`[A-Z_]+`$/.test(first)).map(([, name = '', ...cells]) => [
      name.slice(1, -1),
      cells,
    ]),
  );
  assert.deepEqual([...rows.keys()].sort(), [...VARIABLES.keys()].sort());
  const defaults: Readonly<Record<string, unknown>> = readConfig({}, false);
  for (const [name, [byDefault = '', range = '', meaning = '']] of rows) {
    const complaint = VARIABLES.get(name) ?? '';
    const [, numbers] = / from (\d+ to \d+)/.exec(complaint) ?? [];
    if (numbers !== undefined) assert.equal(range, numbers, name);
    const [, words = ''] = / one of ([\w, ]+), not/.exec(complaint) ?? [];
    for (const word of words.split(', ').filter((each) => each !== byDefault))
      assert.ok(meaning.includes(`\`${word}\``) || word === '', `${name}: ${word} is not named`);
    // A word is the value itself; '–' and phrases say where it comes from.
    if (!/^[\w.]+$/.test(byDefault)) continue;
    const key = name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    const value = defaults[key] === true ? 'on' : String(defaults[key]);
    assert.equal(name === 'DATA_DIR' ? basename(value) : value, byDefault, name);
  }
});

test('a page names no variable or constant that is not in the code', () => {
  const others =
    /^(SCHED_NONE|UV_TCP_SINGLE_ACCEPT|POSTGRES_PASSWORD|GRAFANA_PASSWORD|PAGER_KEY|CHAT_URL|FLASHSALE_INSTALL)$/;
  const unknown = PAGE_LINES.flatMap((line) =>
    spansOf(line)
      .map((span) => span.replace(/=.*$/, ''))
      .filter((span) => /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/.test(span))
      .filter((span) => !CONSTANTS.has(span) && !VARIABLES.has(span) && !others.test(span))
      .map((span) => `${span} in ${at(line)}`),
  );
  assert.deepEqual(unknown, []);
});
