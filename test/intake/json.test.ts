import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readJson } from '../../src/intake/json.ts';
import { createPace } from '../../src/intake/pace.ts';
import { readText } from '../../src/intake/text.ts';

const read = (text: string) => readJson(text, createPace());
const faultOf = async (text: string) => {
  const result = await read(text);
  assert.ok('fault' in result, `${text} was read`);
  return result.fault;
};

test('what is JSON is read as JSON.parse reads it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.json({ maxDepth: 8 }), fc.constantFrom(0, 1, 2), async (text, indent) => {
      const value = JSON.parse(text);
      const result = await read(JSON.stringify(value, null, indent));
      assert.ok('value' in result, JSON.stringify(result));
      assert.equal(JSON.stringify(result.value), JSON.stringify(value));
    }),
    { numRuns: 3_000 },
  );
});

test('what JSON.parse refuses is refused, and nothing else but what it settles silently', async () => {
  const piece = fc.constantFrom(
    ...[
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"b"',
      '"',
      '\\',
      '\\u00',
      '1',
      '-',
      '0',
      '.5',
      'e9',
      'true',
      'null',
      'nul',
      ' ',
      '\n',
      '\t',
      'x',
      '\u0000',
      '"\\n"',
      '"\n"',
      '"\\x"',
    ],
  );
  let both = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 14 }), async (pieces) => {
      const text = pieces.join('');
      let parsed: unknown;
      try {
        parsed = JSON.parse(text);
      } catch {
        assert.match(await faultOf(text), /^line \d+, column \d+: /);
        return;
      }
      both++;
      const result = await read(text);
      if ('fault' in result) assert.match(result.fault, /given twice|too large/);
      else assert.equal(JSON.stringify(result.value), JSON.stringify(parsed));
    }),
    { numRuns: 20_000, seed: 14 },
  );
  assert.ok(both > 200, `only ${both} were JSON`);
});

const BROKEN: Record<string, RegExp> = {
  '': /^line 1, column 1: the text ends here, and a value is expected$/,
  '{\n  "items": [\n    {"name": "a",}\n  ]\n}': /^line 3, column 18: the name of a field is expected/,
  "{'a':1}": /^line 1, column 2: the name of a field/,
  '{"a":1 "b":2}': /^line 1, column 8: a comma or the end of the object/,
  '[1,2': /^line 1, column 5: the text ends here, and a comma or the end of the list/,
  '{"a":1}}': /^line 1, column 8: nothing more is expected/,
  '{"a":01}': /^line 1, column 7: a comma/,
  '{"name":"a","name":"b"}': /^line 1, column 13: the field "name" is given twice$/,
  '{"__proto__":1,"__proto__":2}': /the field "__proto__" is given twice/,
  '{"a":"\\ud83d"}': /^line 1, column 6: .*half of a surrogate pair/,
  '{"\\udc00":1}': /^line 1, column 2: .*half of a surrogate pair/,
  '{"a":"x\ny"}': /^line 1, column 6: .*control character/,
  '{"a":1e999}': /^line 1, column 6: this number is too large/,
  '{"a":"b': /^line 1, column 6: .*no closing quotation mark/,
  [`${'['.repeat(17)}${']'.repeat(17)}`]: /^line 1, column 17: at most 16 levels/,
  [`{${Array.from({ length: 257 }, (_, i) => `"f${i}":1`).join(',')}}`]:
    /: an object has at most 256 fields$/,
};
for (const [text, fault] of Object.entries(BROKEN))
  test(`${JSON.stringify(text.slice(0, 40))} is refused where it is broken`, async () => {
    assert.match(await faultOf(text), fault);
  });

test('__proto__ is a field like any other, and changes nothing', async () => {
  const result = await read('{"__proto__":{"a":1},"b":2}');
  assert.ok('value' in result);
  assert.deepEqual(Object.keys(result.value as object), ['__proto__', 'b']);
  assert.equal(({} as { a?: number }).a, undefined);
});

test('texts that are made to be slow are read, and other work goes on meanwhile', async () => {
  for (const text of [
    `"${'\\\\'.repeat(1 << 20)}"`,
    `[${'"\\"",'.repeat(200_000)}1]`,
    '['.repeat(2 << 20),
    `[${'{},'.repeat(500_000)}1]`,
  ]) {
    let turns = 0;
    const timer = setInterval(() => void turns++, 1);
    await read(text);
    clearInterval(timer);
    if (text.endsWith('1]')) assert.ok(turns > 0);
  }
});

test('a byte-order mark is skipped, and bytes that are not UTF-8 are refused by their line', () => {
  assert.deepEqual(readText(Buffer.from('\uFEFF{}')), { value: '{}' });
  assert.deepEqual(readText(Buffer.from('{"a":\n"\xe9"}', 'latin1')), {
    fault: 'the body must be UTF-8: line 2 has a byte that is not',
  });
  assert.deepEqual(readText(Buffer.from([0xff, 0xfe, 0x7b, 0x00])), {
    fault: 'the body must be UTF-8; this one is UTF-16',
  });
});

test('the line of a bad byte is the one by which it is found alone, however long the text before it', () => {
  const line = fc.string({ maxLength: 12 }).map((text) => text.replaceAll('\n', ''));
  const lines = fc.array(line, { maxLength: 40 });
  const many = fc.constantFrom(0, 1, 5_000);
  fc.assert(
    fc.property(lines, many, lines, (before, blank, after) => {
      const good = [...before, ...Array.from({ length: blank }, () => '')];
      const bytes = Buffer.concat([
        Buffer.from(good.map((text) => `${text}\n`).join('')),
        Buffer.from([0x61, 0xff]),
        Buffer.from(after.map((text) => `\n${text}`).join('')),
      ]);
      const fault = `the body must be UTF-8: line ${good.length + 1} has a byte that is not`;
      assert.deepEqual(readText(bytes), { fault });
    }),
    { numRuns: 500 },
  );
});
