import type { Random } from '../faults/random.ts';

/** Bodies of POST /admin/sales that can only be refused, whatever a mutation leaves of them. */
export interface Body {
  readonly type: 'application/json' | 'text/csv';
  readonly bytes: Buffer;
}

/** Each would be enough to refuse a body. A body has all of them, and no mutation touches more than two places. */
const HOPELESS = [
  '"user_limit":0',
  '"ended_at":"2027-02-30T00:00:00Z"',
  '"currency":"nothing"',
  '"colour":"red"',
];
const ITEMS =
  '"items":[{"id":"a","name":"Lamp","price":1,"data":{"a":[1,{"b":null}]}},{"name":"Vase","image_url":"javascript:1"}]';
const JSON_BASE = `{${[HOPELESS[0], ITEMS, ...HOPELESS.slice(1)].join(',')}}`;
const CSV_BASE =
  'id,name,price,image_url\r\na b,"Lamp ""1""",x,\r\nb,"Va\nse",1,javascript:1\r\nc c,,,x\r\n"d",d,-1,//x\r\n';
/** Words of a line, and what no line can hold. */
const piecesOf = (line: string, others: readonly string[]) => line.split(' ').concat(others);
const JSON_PIECES = piecesOf(
  '{ } [ ] , : " \\ \\u \\ud800 \\u0000 "a" "__proto__" "constructor" "items" "name" 0 - 1e999 1.5 true null NaN é 🙂 \' // /*',
  [' ', '\n', '\uFEFF', '\u2028', '\0', '\x1b'],
);
const CSV_PIECES = piecesOf('" "" , ; id name price =1+1 é 🙂 1 sep=;', [
  ' ',
  '\r',
  '\n',
  '\r\n',
  '\t',
  '\uFEFF',
  '\0',
]);

const some = (random: Random, pieces: readonly string[], most: number): string =>
  Array.from({ length: random.between(0, most) }, () => random.pick(pieces)).join('');

/** One or two places of a text are cut out, doubled, or get something put in. */
function mutated(random: Random, text: string, pieces: readonly string[]): string {
  let result = text;
  for (let places = random.between(1, 2); places > 0; places--) {
    const at = random.between(0, result.length);
    const to = Math.min(result.length, at + random.between(0, 6));
    const put = random.pick([
      random.pick(pieces),
      some(random, pieces, 4),
      '',
      result.slice(at, to).repeat(2),
    ]);
    result = result.slice(0, at) + put + result.slice(to);
  }
  return result;
}

const randomBytes = (random: Random, most: number): Buffer =>
  Buffer.from(Array.from({ length: random.between(0, most) }, () => random.between(0, 255)));

/** Slow for a careless reader. */
const HEAVY: readonly ((random: Random) => string)[] = [
  (random) => random.pick(['[', '{"a":', '[[{"a":']).repeat(random.between(10, 20_000)),
  (random) => `"${'\\'.repeat(random.between(1, 50_000))}`,
  (random) => `{${'"a":1,'.repeat(random.between(2, 5_000))}}`,
  (random) => `{"items":[${'{},'.repeat(random.between(2, 20_000))}0]}`,
  (random) => `1${'0'.repeat(random.between(1, 50_000))}`,
];
const HEAVY_CSV: readonly ((random: Random) => string)[] = [
  (random) => `name\n${'"'.repeat(random.between(1, 40_001) | 1)}`,
  (random) => `name${','.repeat(random.between(1, 20_000))}`,
  (random) => `id\n${'a\n'.repeat(random.between(2, 10_000))}`,
  (random) => `id,name\n${'\n'.repeat(random.between(0, 50_000))}`,
];

/** A body of a seed's choice. */
export function hopelessBody(random: Random): Body {
  if (random.chance(0.5)) {
    const bytes = random.pick([
      () => Buffer.from(mutated(random, JSON_BASE, JSON_PIECES)),
      () => Buffer.from(`${some(random, JSON_PIECES, 30)}!`),
      () =>
        Buffer.concat([
          Buffer.from(JSON_BASE),
          randomBytes(random, 8),
          Buffer.from([random.between(0x80, 0xff)]),
        ]),
      () => Buffer.from(random.pick(HEAVY)(random)),
      () => Buffer.concat([randomBytes(random, 400), Buffer.from('!')]),
    ])();
    return { type: 'application/json', bytes };
  }
  const bytes = random.pick([
    () => Buffer.from(mutated(random, CSV_BASE, CSV_PIECES)),
    // A column that is none.
    () => Buffer.from(`nothing,${some(random, CSV_PIECES, 60)}`),
    () => Buffer.concat([Buffer.from(CSV_BASE), randomBytes(random, 8), Buffer.from([0xff])]),
    () => Buffer.from(random.pick(HEAVY_CSV)(random)),
    () => Buffer.concat([randomBytes(random, 400), Buffer.from([0xff])]),
  ])();
  return { type: 'text/csv', bytes };
}
