import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { generateItems, nounOf } from '../../src/goods/catalogue.ts';
import { kindNamedIn, kindOf, namedPictureUrl, SLUGS } from '../../src/goods/kinds.ts';
import { MOTIFS, pictureOf } from '../../src/goods/picture.ts';

const ITEMS = generateItems('S-3f9a1c22b7', 3000);

test('every noun of the catalogue has a motif, and no motif is left over', () => {
  const nouns = new Set(ITEMS.map((item) => nounOf(item.id)!));
  assert.deepEqual([...nouns].sort(), Object.keys(MOTIFS).sort());
});

test('a picture is well-formed, small, and refers to nothing outside itself', () => {
  for (const { id, name } of ITEMS) {
    const svg = pictureOf(id, name);
    assertWellFormed(svg);
    assert.ok(Buffer.byteLength(svg) < 3072, `${name} (${id}): ${Buffer.byteLength(svg)} bytes`);
    assert.doesNotMatch(svg, /<script|<image|<foreignObject|\bon\w+=|NaN|undefined|Infinity/);
    const addresses = [...svg.matchAll(/(?:href="|url\()([^")]*)/g)].map((match) => match[1]!);
    for (const address of addresses) assert.ok(svg.includes(`id="${address.slice(1)}"`), address);
  }
});

test('it has a role and a title, and scales', () => {
  const svg = pictureOf('3f9a1c22b7-00a7', 'Rustic Oak Bench');
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 400 400" role="img"/);
  assert.match(svg, /<title>Rustic Oak Bench<\/title>/);
  assert.match(pictureOf('3f9a1c22b7-00a7'), /<title>Item 3f9a1c22b7-00a7<\/title>/);
});

test('a name is text, never markup', () => {
  const svg = pictureOf('lamp', `</title><script>alert("1")</script> & 'co'\u0000\ud800`);
  assertWellFormed(svg);
  assert.match(
    svg,
    /<title>&lt;\/title&gt;&lt;script&gt;alert\(&quot;1&quot;\)&lt;\/script&gt; &amp; &apos;co&apos; {2}<\/title>/,
  );
  assertWellFormed(pictureOf('"><script>'));
});

test('any id has a picture, the same for ever', () => {
  const digest = (id: string) => createHash('sha256').update(pictureOf(id)).digest('hex').slice(0, 16);
  assert.deepEqual(['3f9a1c22b7-0000', '3f9a1c22b7-00a7', 'my-lamp', ''].map(digest), [
    '52cd49d0070aff88',
    '52b2d3d6cf08e267',
    'd278750947ee7446',
    '789c0aa33cd0de24',
  ]);
});

test('a name of the shop’s own says what is drawn', () => {
  for (const [name, kind] of Object.entries({
    'Rustic Lamp': 'Table Lamp',
    'Blue Vase': 'Vase',
    'Walnut bowls, set of 3': 'Bowl',
    'LARGE FRUIT BOWL': 'Fruit Bowl',
    'Art Print “Vase”': 'Vase',
    'Lamp with an oak bowl': 'Table Lamp',
    'Cushion for a bench': 'Cushion',
    'Teapot No. 2': 'Teapot',
    Sneaker: undefined,
    Glass: undefined,
    花瓶: undefined,
    '': undefined,
  }))
    assert.equal(kindNamedIn(name), kind, name);
  for (const { name, id } of ITEMS) assert.equal(kindNamedIn(name), nounOf(id), name);
});

test('the address of a picture names its kind, of which each is drawn', () => {
  assert.equal(namedPictureUrl('lamp-1', 'Rustic Lamp'), '/items/lamp-1/image.svg?as=table-lamp');
  assert.equal(namedPictureUrl('shoe-1', 'Sneaker'), '/items/shoe-1/image.svg');
  assert.deepEqual(SLUGS.map((slug) => kindOf(slug)).sort(), Object.keys(MOTIFS).sort());
  assert.equal(kindOf('sneaker'), undefined);
});

test('an item of the shop’s own looks the same for ever, too', () => {
  const digest = createHash('sha256')
    .update(pictureOf('lamp-1', undefined, 'Table Lamp'))
    .digest('hex');
  assert.equal(digest.slice(0, 16), 'c9819b5355072f45');
});

test('the drawing depends on the id only', () => {
  const drawing = (svg: string) => svg.replace(/<title>.*<\/title>/, '');
  assert.equal(drawing(pictureOf('my-lamp', 'One')), drawing(pictureOf('my-lamp', 'Another')));
});

test('hardly two items look the same', () => {
  const drawings = new Set(ITEMS.map((item) => pictureOf(item.id, 'same')));
  assert.ok(drawings.size > ITEMS.length * 0.95, `${drawings.size} of ${ITEMS.length}`);
});

/** Tags balance, attributes are quoted, and no stray sign is left between them. */
function assertWellFormed(xml: string): void {
  const open: string[] = [];
  const rest = xml.replace(
    /<(\/?)([a-zA-Z]+)((?: [a-zA-Z][a-zA-Z0-9-]*="[^"<&]*")*)(\/?)>/g,
    (_, end, name, __, self) => {
      if (end) assert.equal(open.pop(), name);
      else if (!self) open.push(name);
      return '';
    },
  );
  assert.deepEqual(open, []);
  assert.doesNotMatch(rest.replace(/&(amp|lt|gt|quot|apos);/g, ''), /[<>&]|\p{Cc}/u);
}
