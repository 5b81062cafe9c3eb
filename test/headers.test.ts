import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  OF_CHECKOUT,
  OF_CHECKOUT_BATCH,
  OF_JOIN,
  OF_JOIN_BATCH,
  OF_PURCHASE,
} from '../src/store/statuses.ts';

/** A script's header is its contract: what it documents is what it uses, and what it uses is documented. */
const root = new URL('../../', import.meta.url);
const filesIn = (folder: string, ending: string) =>
  readdirSync(new URL(`${folder}/`, root)).filter((name) => name.endsWith(ending));
const read = (path: string) => {
  const lines = readFileSync(new URL(path, root), 'utf8').split('\n');
  const isHeader = (line: string) => /^(--|#!)/.test(line);
  const end = lines.findIndex((line) => !isHeader(line));
  const body = lines.slice(end).map((line) => line.replace(/--.*$/, ''));
  return { header: lines.slice(0, end), body: body.join('\n') };
};

/** Numbers of one array, and the number from which on all are meant, if any are. */
interface Numbers {
  readonly single: Set<number>;
  readonly from: number | undefined;
}

/** `KEYS[2] sale` documents one, `KEYS[3…] every other key` all from the third on. */
function documentedIn(header: readonly string[], array: string): Numbers & { names: Map<number, string> } {
  const single = new Set<number>();
  const names = new Map<number, string>();
  let from: number | undefined;
  for (const line of header) {
    if (!line.startsWith(`-- ${array}[`)) continue;
    for (const [, number, open, name] of line.matchAll(
      new RegExp(`\\b${array}\\[(\\d+)(…?)\\]\\s+(\\w+)`, 'g'),
    )) {
      if (open) from = Number(number);
      else single.add(Number(number));
      names.set(Number(number), name!);
    }
  }
  return { single, from, names };
}

/** Literal numbers, names of `local a, b = unpack(KEYS, 2)`, and the beginnings of ranges: unpack and loops. */
function usedIn(body: string, array: string): Numbers & { names: Map<number, string> } {
  const single = new Set(
    [...body.matchAll(new RegExp(`\\b${array}\\[(\\d+)\\]`, 'g'))].map((m) => Number(m[1])),
  );
  const unpacked = new RegExp(`^local ([\\w, ]+) = unpack\\(${array}(?:, (\\d+))?\\)$`, 'm').exec(body);
  const first = Number(unpacked?.[2] ?? 1);
  const names = new Map((unpacked?.[1] ?? '').match(/\w+/g)?.map((name, i) => [first + i, name]));
  for (const n of names.keys()) single.add(n);
  const rest = unpacked ? body.replace(unpacked[0], '') : body;
  const ranges = [
    ...[...rest.matchAll(new RegExp(`unpack\\(${array}(?:, (\\d+))?\\)`, 'g'))].map((m) => Number(m[1] ?? 1)),
    ...[...rest.matchAll(new RegExp(`for \\w+ = (\\d+), #${array}\\b`, 'g'))].map((m) => Number(m[1])),
  ];
  return { single, from: ranges.length > 0 ? Math.min(...ranges) : undefined, names };
}

for (const file of filesIn('lua', '.lua')) {
  test(`lua/${file} uses what its header documents, and nothing else`, () => {
    const { header, body } = read(`lua/${file}`);
    // A full Redis refuses scripts without the flag, also those that free memory. Only those that fill it obey.
    const fills = ['checkout.lua', 'queue_join.lua'].includes(file);
    assert.equal(header[0], fills ? '#!lua' : '#!lua flags=allow-oom');
    assert.match(header[1]!, /^-- [A-Z].*/, 'one sentence first');
    assert.ok(
      header.some((line) => line.startsWith('-- Returns ')),
      'its returns',
    );
    for (const array of ['KEYS', 'ARGV']) {
      const documented = documentedIn(header, array);
      const used = usedIn(body, array);
      const most = Math.max(0, ...documented.single, (documented.from ?? 1) - 1);
      assert.deepEqual(
        [...documented.single].sort((a, b) => a - b),
        Array.from({ length: most }, (_, i) => i + 1),
        `${array} without a gap, the open end last`,
      );
      for (const n of used.single)
        assert.ok(
          n <= most || (documented.from !== undefined && n >= documented.from),
          `${array}[${n}] is documented`,
        );
      for (const n of documented.single)
        assert.ok(
          used.single.has(n) || (used.from !== undefined && n >= used.from),
          `${array}[${n}] is used`,
        );
      if (documented.from !== undefined)
        assert.ok(
          used.from !== undefined && used.from <= documented.from,
          `${array}[${documented.from}…] is used`,
        );
      else
        assert.ok(
          used.from === undefined || used.from <= most,
          `${array} from ${used.from} on is documented`,
        );
      for (const [n, name] of used.names) assert.equal(name, documented.names.get(n), `${array}[${n}]`);
    }
  });
}

/** "1 added, -5 no-item" in a header's line that begins with these words, as a table. */
function statusesIn(file: string, beginning: string): Record<string, string> {
  const line = read(`lua/${file}`).header.find((each) => each.startsWith(beginning)) ?? '';
  return Object.fromEntries(
    [...line.matchAll(/(?<=[ ;])(-?\d+) ([a-z-]+)/g)].map(([, n, word]) => [n, word]),
  );
}

test('the numbers that scripts answer mean what their headers say', () => {
  const same = (table: object, file: string, beginning: string) =>
    assert.deepEqual({ ...table }, statusesIn(file, beginning), `${file}: ${beginning}`);
  same(OF_CHECKOUT_BATCH, 'checkout.lua', '-- Returns one number for the whole batch');
  same(OF_CHECKOUT, 'checkout.lua', '--   status ');
  same(OF_PURCHASE, 'purchase.lua', '--   status ');
  same(OF_JOIN_BATCH, 'queue_join.lua', '-- Returns one number for the whole batch');
  same(OF_JOIN, 'queue_join.lua', '--   status ');
});

/** Who is let in by the gate is decided in each script in the same words. A rebuild that begins shuts it, whatever it says. */
const PRELUDE = [
  "local info = redis.call('INFO', 'server', 'replication')",
  'local function id(name) local _, at = string.find(info, name, 1, true) return string.sub(info, at + 1, at + 40) end',
  "local here = id('\\nrun_id:') .. ':' .. id('\\nmaster_replid:')",
  "if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ':' .. here then return -1 end",
];

test('every script with a gate begins by asking it', () => {
  const gated = filesIn('lua', '.lua').filter((file) =>
    read(`lua/${file}`).header.some((line) => /^-- KEYS\[1\] gate\b/.test(line)),
  );
  assert.ok(gated.length >= 8, String(gated));
  for (const file of gated) {
    const lines = file === 'rebuild_begin.lua' ? PRELUDE.slice(0, -1) : PRELUDE;
    const body = read(`lua/${file}`).body.trim().split('\n');
    assert.deepEqual(body.slice(0, lines.length), lines, file);
  }
});

for (const file of filesIn('sql', '.sql')) {
  test(`sql/${file} uses the parameters its header documents, each with its type, and nothing else`, () => {
    const { header, body } = read(`sql/${file}`);
    assert.match(header[0]!, /^-- [A-Z].*/, 'one sentence first');
    const documented = header.flatMap((line) =>
      [...line.matchAll(/\$(\d+) [^$]*\([\w[\]]+\)/g)].map((m) => String(m[1])),
    );
    const mentioned = header.flatMap((line) => [...line.matchAll(/\$(\d+)/g)].map((m) => String(m[1])));
    const used = new Set([...body.matchAll(/\$(\d+)/g)].map((m) => String(m[1])));
    assert.deepEqual(mentioned, documented, 'each with its type');
    assert.deepEqual(
      documented,
      Array.from({ length: used.size }, (_, i) => String(i + 1)),
    );
    for (const number of used) assert.ok(documented.includes(number), `$${number} is documented`);
  });
}
