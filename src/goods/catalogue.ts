/**
 * The goods of a generated sale: ids, names and picture addresses, all of them pure functions of the sale's
 * id and the item's index, so that nothing has to be remembered to create a sale twice and get the same one.
 */

export interface NewItem {
  readonly id: string;
  readonly name: string;
  readonly imageUrl: string;
}

interface Family {
  readonly materials: readonly string[];
  readonly nouns: readonly string[];
}

/**
 * Words that suit a kettle as well as a shawl. Colours are left out: the picture has its own. None is longer
 * than 9 letters, so that the longest name with its number stays within 40.
 */
const ADJECTIVES: readonly string[] = `
  Rustic Nordic Coastal Heirloom Sunday Classic Meadow Vintage Elegant Harbour Handmade Alpine Autumn Tuscan
  Artisan Highland Orchard Modern Woodland Cosy Winter Midsummer Village Graceful Evening Cottage Serene
  Farmhouse Atelier Lakeside Timeless Garden Everyday Charming Riverside Festive Country Quiet Island Manor
  Studio`
  .trim()
  .split(/\s+/);

/** Within a family every material goes with every noun. */
const FAMILIES: readonly Family[] = [
  {
    materials: words('Oak, Walnut, Beech, Maple, Birch, Teak, Elm, Acacia, Cedar, Cherrywood, Olivewood'),
    nouns: words(
      'Bowl, Fruit Bowl, Candlestick, Table Lamp, Side Table, Footstool, Bench, Wall Clock, Planter, Keepsake Box',
    ),
  },
  {
    materials: words('Stoneware, Porcelain, Terracotta, Ceramic, Raku, Faience'),
    nouns: words(
      `Vase, Bud Vase, Jug, Pitcher, Bowl, Fruit Bowl, Serving Bowl, Mug, Tea Cup, Espresso Cup, Teapot, Planter,
       Flowerpot, Candlestick, Table Lamp`,
    ),
  },
  {
    materials: words('Glass, Crystal, Blown Glass, Smoked Glass, Ribbed Glass, Fluted Glass'),
    nouns: words('Vase, Bud Vase, Carafe, Pitcher, Bowl, Fruit Bowl, Lantern, Table Lamp'),
  },
  {
    materials: words('Brass, Copper, Pewter, Bronze, Iron, Steel, Tin'),
    nouns: words(
      'Vase, Candlestick, Lantern, Table Lamp, Pendant Lamp, Wall Clock, Teapot, Kettle, Planter, Fruit Bowl',
    ),
  },
  {
    materials: words(
      'Linen, Wool, Cotton, Merino, Alpaca, Mohair, Cashmere, Velvet, Flannel, Lambswool, Tweed, Boucle',
    ),
    nouns: words('Throw, Blanket, Bedspread, Cushion, Floor Cushion, Pillow'),
  },
  {
    materials: words('Jute, Wool, Sisal, Cotton, Seagrass, Hemp'),
    nouns: words('Rug, Hall Runner, Bedside Rug'),
  },
  {
    materials: words('Willow, Rattan, Wicker, Seagrass, Bamboo, Raffia'),
    nouns: words(
      'Basket, Bread Basket, Picnic Basket, Laundry Basket, Storage Basket, Pendant Lamp, Lampshade',
    ),
  },
  {
    materials: words('Linocut, Woodcut, Letterpress, Watercolour, Risograph, Gouache, Aquatint'),
    nouns: words('Print, Art Print, Poster, Landscape, Seascape'),
  },
  {
    materials: words('Leather, Linen, Suede, Canvas, Felt, Cotton'),
    nouns: words('Journal, Notebook, Sketchbook, Photo Album'),
  },
];

/** Every kind of thing there is, once. */
export const NOUNS: readonly string[] = [...new Set(FAMILIES.flatMap(({ nouns }) => nouns))];

/** Every sensible pair of material and noun, equal nouns side by side: see STRIDE. */
const THINGS = FAMILIES.flatMap(({ materials, nouns }) =>
  nouns.flatMap((noun) => materials.map((material) => ({ noun, label: `${material} ${noun}` }))),
).sort((a, b) => (a.noun < b.noun ? -1 : a.noun > b.noun ? 1 : 0));

/**
 * Index i names ADJECTIVES[a·i + b] and THINGS[STRIDE·i + c]. Both walks are permutations (steps prime to the
 * lengths) and the lengths are prime to each other, so by the Chinese remainder theorem the pair returns only
 * after all COMBINATIONS: uniqueness without a look-up. A golden-section step keeps equal nouns furthest
 * apart, and is longer than the longest run of one noun.
 */
const STRIDE = nextPrimeTo(THINGS.length, Math.round(THINGS.length * 0.618));
const COMBINATIONS = ADJECTIVES.length * THINGS.length;

/** Four digits in base 36 hold 1,679,616 items. */
const INDEX_DIGITS = 4;
const ITEMS_MAX = 1_000_000;

/** Where the picture of an item is. Ids hold nothing that a path would escape. */
export const pictureUrl = (itemId: string): string => `/items/${itemId}/image.svg`;

/**
 * Returns the maker of a sale's items: by their index, in the order of the shop's page. Ids are the sale's ten hex digits
 * and the index in base 36 (`3f9a1c22b7-00a7`): unique across sales, and short, for each of them travels
 * through Redis many times.
 */
export function itemMaker(saleId: string): (index: number) => NewItem {
  if (!/^S-[0-9a-f]{10}$/.test(saleId)) throw new RangeError(`not a sale id: ${saleId}`);
  const sale = saleId.slice(2);
  const seed = Number.parseInt(sale, 16);
  return (index) => {
    const id = `${sale}-${index.toString(36).padStart(INDEX_DIGITS, '0')}`;
    return { id, name: nameAt(seed, index), imageUrl: pictureUrl(id) };
  };
}

/** The items of a sale with `total` items, all at once: for a million of them, some seconds. */
export function generateItems(saleId: string, total: number): NewItem[] {
  if (!Number.isInteger(total) || total < 0 || total > ITEMS_MAX) {
    throw new RangeError(`a sale has 0 to ${ITEMS_MAX} items, not ${total}`);
  }
  const make = itemMaker(saleId);
  return Array.from({ length: total }, (_, index) => make(index));
}

/**
 * What kind of thing a generated item is ("Fruit Bowl"), read from its id alone; undefined if the id was not
 * made here. An item that the admin named may share the form of the id: good enough for a picture, never
 * for a name.
 */
export function nounOf(itemId: string): string | undefined {
  const [, sale, index] = /^([0-9a-f]{10})-([0-9a-z]{4})$/.exec(itemId) ?? [];
  if (sale === undefined || index === undefined) return undefined;
  return thingAt(Number.parseInt(sale, 16), Number.parseInt(index, 36)).noun;
}

function nameAt(seed: number, index: number): string {
  const count = ADJECTIVES.length;
  const step = 1 + (Math.floor(seed / count) % (count - 1)); // count is prime: every step is prime to it
  const adjective = ADJECTIVES[((seed % count) + step * index) % count];
  const name = `${adjective} ${thingAt(seed, index).label}`;
  const round = Math.floor(index / COMBINATIONS);
  return round === 0 ? name : `${name} No. ${round + 1}`;
}

function thingAt(seed: number, index: number) {
  return THINGS[((seed % THINGS.length) + STRIDE * index) % THINGS.length]!;
}

function nextPrimeTo(modulus: number, from: number): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  return divisor(modulus, from) === 1 ? from : nextPrimeTo(modulus, from + 1);
}

function words(list: string): string[] {
  return list.split(',').map((word) => word.trim());
}
