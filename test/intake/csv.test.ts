import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readCsv } from '../../src/intake/csv.ts';
import { createPace } from '../../src/intake/pace.ts';

const COLUMNS = ['id', 'name', 'price', 'image_url'];
const read = (text: string) => readCsv(text, COLUMNS, createPace());
async function rowsOf(text: string) {
  const result = await read(text);
  assert.ok('value' in result, JSON.stringify(result));
  return result.value;
}

test('Excel’s ways: semicolons, CRLF, quoted line feeds, quotes and separators; columns in any order', async () => {
  const rows = await rowsOf('Name;ID\r\n"Lamp; ""oak""\r\nlarge";a\r\n\r\nVase;b\r\n');
  assert.deepEqual(rows, [
    { line: 2, cells: { name: 'Lamp; "oak" large', id: 'a' } },
    { line: 5, cells: { name: 'Vase', id: 'b' } },
  ]);
});

test('the last line needs no end, line feeds alone will do, and empty cells are left out', async () => {
  assert.deepEqual(await rowsOf('id,name,price\na,Lamp,\nb,"Vase, blue",12'), [
    { line: 2, cells: { id: 'a', name: 'Lamp' } },
    { line: 3, cells: { id: 'b', name: 'Vase, blue', price: '12' } },
  ]);
});

const BROKEN: Record<string, RegExp> = {
  '': /^line 1: a header is expected/,
  'id,colour\na,red': /^line 1: "colour" is not a column; columns are id, name/,
  'name,name\na,b': /^line 1: the column name is given twice/,
  'id,name\na,b\nc\n': /^line 3: this row has another number of cells/,
  'id,name\na,b,c\n': /^line 2: this row has another number of cells/,
  'id,name\na,"b\n': /^line \d: a quotation mark is not closed/,
  'id,name\na,b "c" d\n': /^line 2: a quotation mark stands where none may/,
  'id,name\na,"b" c\n': /^line 2: a quotation mark stands where none may/,
  [`name\n${'x'.repeat(20_000)}\n`]: /^line \d: this row has more than 16384 bytes/,
};
for (const [text, fault] of Object.entries(BROKEN))
  test(`${JSON.stringify(text.slice(0, 30))} is refused by its line`, async () => {
    const result = await read(text);
    assert.ok('fault' in result, JSON.stringify(result));
    assert.match(result.fault, fault);
  });

test('line ends of every kind count as lines, also where a part of the body ends between CR and LF', async () => {
  for (let pad = 4_085; pad < 4_100; pad++) {
    const rows = await rowsOf(`name\r\n${'x'.repeat(pad)}\r\na\rb\r\n\r\nc`);
    assert.deepEqual(
      rows.map(({ line, cells }) => [line, cells.name?.length]),
      [
        [2, pad],
        [3, 1],
        [4, 1],
        [6, 1],
      ],
    );
  }
});

test('whatever a table holds comes back, quoted or not, with either separator, also in many parts', async () => {
  const cell = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 12 })
    .filter((text) => !text.includes('\uFEFF'));
  const table = fc.array(fc.record({ id: cell, name: cell }), { minLength: 1, maxLength: 40 });
  const flat = (text: string) => text.replace(/\r\n?/g, '\n').replace(/ *\n+ */g, ' ');
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  await fc.assert(
    fc.asyncProperty(
      table,
      fc.constantFrom(',', ';'),
      fc.constantFrom('\n', '\r\n'),
      async (rows, sign, end) => {
        const lines = rows.map(({ id, name }) => `${quoted(id)}${sign}${quoted(name)}`);
        const read = await rowsOf([`id${sign}name`, ...lines].join(end));
        assert.deepEqual(
          read.map(({ cells }) => cells),
          rows.map(({ id, name }) => ({ id: flat(id), name: flat(name) })),
        );
      },
    ),
    { numRuns: 300 },
  );
  const many = Array.from({ length: 20_000 }, (_, i) => `é${i}🙂`);
  const rows = await rowsOf(`name\n${many.join('\n')}`);
  assert.deepEqual(
    rows.map(({ cells }) => cells.name),
    many,
  );
  assert.equal(rows.at(-1)?.line, 20_001);
});
