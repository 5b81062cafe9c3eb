/** The pictures of items: drawn from what their address says, so they need no database and never change. */
import { nounOf } from './catalogue.ts';
import { type Brush, brushFor, type Motif } from './picture/brush.ts';
import * as furnishings from './picture/furnishings.ts';
import * as lights from './picture/lights.ts';
import * as prints from './picture/prints.ts';
import * as textiles from './picture/textiles.ts';
import * as vessels from './picture/vessels.ts';

const { hills, waves, arches, bauhaus, terrazzo, stones, botanical } = prints;
const print = prints.framed([hills, waves, arches, bauhaus, terrazzo, stones, botanical]);

/** What to draw for each noun of the catalogue. */
export const MOTIFS: Readonly<Record<string, Motif>> = {
  Vase: vessels.vase,
  'Bud Vase': vessels.vase,
  Jug: vessels.jug,
  Pitcher: vessels.jug,
  Carafe: vessels.jug,
  Bowl: vessels.bowl,
  'Fruit Bowl': vessels.fruitBowl,
  'Serving Bowl': vessels.bowl,
  Mug: vessels.cup,
  'Tea Cup': vessels.cup,
  'Espresso Cup': vessels.cup,
  Teapot: vessels.teapot,
  Kettle: vessels.teapot,
  Planter: vessels.planter,
  Flowerpot: vessels.planter,
  'Table Lamp': lights.tableLamp,
  'Pendant Lamp': lights.pendantLamp,
  Lampshade: lights.pendantLamp,
  Candlestick: lights.candlesticks,
  Lantern: lights.lantern,
  Throw: textiles.foldedCloth,
  Blanket: textiles.foldedCloth,
  Bedspread: textiles.foldedCloth,
  Cushion: textiles.cushion,
  'Floor Cushion': textiles.cushion,
  Pillow: textiles.cushion,
  Rug: textiles.rug,
  'Hall Runner': textiles.rug,
  'Bedside Rug': textiles.rug,
  Basket: furnishings.basket,
  'Bread Basket': furnishings.basket,
  'Picnic Basket': furnishings.basket,
  'Laundry Basket': furnishings.basket,
  'Storage Basket': furnishings.basket,
  'Side Table': furnishings.sideTable,
  Footstool: furnishings.footstool,
  Bench: furnishings.bench,
  'Wall Clock': furnishings.wallClock,
  'Keepsake Box': furnishings.box,
  Journal: furnishings.books,
  Notebook: furnishings.books,
  Sketchbook: furnishings.books,
  'Photo Album': furnishings.books,
  Print: print,
  'Art Print': print,
  Poster: print,
  Landscape: prints.framed([hills]),
  Seascape: prints.framed([waves]),
};

const ANY = Object.values(MOTIFS);

/**
 * The picture of an item: an SVG document of less than 3 KiB, meant for an `<img>` (its inner ids are the same
 * in every picture). It shows a `noun` of the catalogue: the one that the id of a generated item says, unless another is
 * given, and something from the same shop where there is none. `name` becomes its title.
 */
export function pictureOf(itemId: string, name = `Item ${itemId}`, noun = nounOf(itemId)): string {
  const brush = brushFor(itemId);
  const motif = MOTIFS[noun ?? ''] ?? brush.pick(ANY);
  // One decimal is finer than a pixel.
  const drawing = motif(brush).replace(/\.\d{3,}/g, (decimals) => decimals.slice(0, 2));
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" role="img" stroke-linecap="round">` +
    `<title>${escaped(name)}</title><defs>${gradientsIn(drawing, brush)}</defs>${drawing}</svg>`
  );
}

/** The light in a picture: on the wall, on round bodies, on flat ones, and from lamps. Only what it uses. */
function gradientsIn(drawing: string, { colour }: Brush): string {
  const { light, ink } = colour;
  const stop = (offset: string, fill: string, opacity: string) =>
    `<stop offset="${offset}" stop-color="${fill}" stop-opacity="${opacity}"/>`;
  const gradients = {
    sky: `<radialGradient id="sky" cx=".3" cy=".2" r=".9">${stop('0', light, '.32')}${stop('1', light, '0')}</radialGradient>`,
    round: `<linearGradient id="round">${stop('.2', '#fff', '.14')}${stop('1', ink, '.34')}</linearGradient>`,
    fall: `<linearGradient id="fall" x2="0" y2="1">${stop('0', '#fff', '.14')}${stop('1', ink, '.14')}</linearGradient>`,
    glow: `<radialGradient id="glow">${stop('0', '#fff6d8', '.9')}${stop('.5', '#ffd98a', '.3')}${stop('1', '#ffd98a', '0')}</radialGradient>`,
  };
  return Object.entries(gradients)
    .flatMap(([id, gradient]) => (drawing.includes(`url(#${id})`) ? gradient : []))
    .join('');
}

/** Text for XML, which has no way to write control characters or half a surrogate pair. */
function escaped(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&apos;',
  };
  return text.replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, ' ').replace(/[&<>"']/g, (sign) => entities[sign]!);
}
