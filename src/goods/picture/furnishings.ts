/** Baskets, furniture, clocks and boxes. */
import {
  type Brush,
  block,
  circle,
  ellipse,
  FLOOR,
  group,
  leaf,
  leafAt,
  line,
  type Motif,
  painted,
  repeat,
  shaded,
  shape,
  slab,
  turned,
} from './brush.ts';
import { onTable, onWall } from './rooms.ts';

export const basket: Motif = (brush) => {
  const { colour, between, pick } = brush;
  const { base, accent, light, ink } = colour;
  const [half, top] = [between(84, 104), between(204, 226)];
  const body = turned(`${half},${top} ${half + 6},${top + 50} ${half - 16},322`);
  const strand = (i: number) => `M${i % 2 ? 80 : 92} ${top + 10 + i * 17}H320`;
  const weave = (rows: readonly number[], fill: string) =>
    line(rows.map(strand).join(''), fill, 9, 'stroke-dasharray="10 14"');
  const content = pick([
    () => shape(`M${206 - half} ${top}q20-62 70-36q50-44 70 0q40-12 ${half * 2 - 152} 36Z`, light),
    () =>
      repeat(
        3,
        (i) =>
          circle(150 + i * 50, top - 10, 34, [accent, light, accent][i]!) +
          circle(150 + i * 50, top - 10, 34, 'url(#round)'),
      ),
    () => '',
  ])();
  return onTable(
    brush,
    half,
    line(
      `M${206 - half} ${top + 6}C${220 - half} ${top - 150} ${180 + half} ${top - 150} ${194 + half} ${top + 6}`,
      base,
      11,
    ) +
      ellipse(200, top, half, 12, ink) +
      content +
      painted(body, base, weave([0, 1, 4, 5, 6], light) + weave([2, 3], accent)) +
      slab(196 - half, top - 6, half * 2 + 8, 15, 7, base),
  );
};

/** What a piece of furniture may carry, standing at height `y`. */
type Load = (brush: Brush, y: number, half: number) => string;

const padded: Load = ({ colour }, y, half) => slab(210 - half, y - 22, half * 2 - 20, 30, 14, colour.accent);

const withVase: Load = ({ colour }, y) =>
  leaf(182, y - 60, 70, 13, -18, colour.ink) +
  leaf(182, y - 60, 78, 12, 6, colour.base) +
  leaf(182, y - 60, 56, 12, 32, colour.ink) +
  shaded(turned(`10,${y - 70} 9,${y - 54} 28,${y - 22} 18,${y}`, 182), colour.accent);

const withBooks: Load = ({ colour }, y) =>
  slab(158, y - 20, 88, 20, 3, colour.accent) +
  slab(166, y - 38, 74, 18, 3, colour.light) +
  circle(206, y - 54, 16, colour.base) +
  circle(206, y - 54, 16, 'url(#round)');

function furniture(half: number, y: number, loads: readonly Load[]): Motif {
  const front = `M${228 - half} ${y + 8}L${206 - half} ${FLOOR}M${172 + half} ${y + 8}L${194 + half} ${FLOOR}`;
  const back = `M${246 - half} ${y + 8}L${238 - half} 308M${154 + half} ${y + 8}L${162 + half} 308`;
  return (brush) => {
    const { base, ink } = brush.colour;
    return onTable(
      brush,
      half,
      line(back, base, 10) +
        line(back, ink, 10, 'opacity=".35"') +
        line(front, base, 11) +
        line(`M${218 - half} 272H${182 + half}`, base, 7) +
        brush.pick(loads)(brush, y, half) +
        slab(200 - half, y, half * 2, 20, 8, base),
    );
  };
}

export const sideTable = furniture(84, 186, [withVase, withBooks]);
export const footstool = furniture(86, 236, [padded]);
export const bench = furniture(142, 214, [padded, withBooks, withVase]);

export const wallClock: Motif = (brush) => {
  const { colour, between, pick } = brush;
  const { base, accent, light, ink, table } = colour;
  const rays = pick([
    () =>
      shape(
        repeat(24, (i) => leafAt(200, 200, i % 2 ? 152 : 164, 8, i * 15)),
        accent,
      ),
    () => '',
    () => circle(200, 200, 132, accent),
  ])();
  const ticks = (length: number, dashes: string) =>
    `<circle cx="200" cy="200" r="${96 - length / 2}" pathLength="120" fill="none" ` +
    `stroke="${ink}" stroke-linecap="butt" stroke-width="${length}" stroke-dasharray="${dashes}" stroke-dashoffset=".6"/>`;
  return onWall(
    brush,
    circle(212, 216, 124, ink, 'opacity=".14"') +
      rays +
      circle(200, 200, 118, base) +
      circle(200, 200, 118, 'url(#round)') +
      circle(200, 200, 102, light) +
      circle(200, 200, 44, table, 'opacity=".5"') +
      ticks(8, '1.2 8.8') +
      ticks(18, '1.2 28.8') +
      leaf(200, 206, 62, 7, between(0, 11) * 30 + 10, ink) +
      leaf(200, 208, 92, 5, between(0, 11) * 30, ink) +
      circle(200, 200, 9, accent),
  );
};

export const box: Motif = (brush) => {
  const { colour, pick } = brush;
  const { base, accent, light, ink } = colour;
  const inlay = pick([
    () => repeat(5, (i) => shape(`M${116 + i * 36} 274l12-17l12 17l-12 17Z`, i % 2 ? light : accent)),
    () => line('M98 258H302M98 290H302', accent, 5) + repeat(9, (i) => circle(108 + i * 23, 274, 5, light)),
    () => line('M98 280q17-26 34 0t34 0t34 0t34 0t34 0t34 0', light, 6),
  ])();
  return onTable(
    brush,
    112,
    shaded(`M94 232h212v82q0 8-8 8H102q-8 0-8-8Z`, base) +
      inlay +
      shaded('M88 232v-16q0-30 34-30h156q34 0 34 30v16Z', base) +
      shape('M88 224h224v10H88Z', ink, 'opacity=".3"') +
      block(186, 218, 28, 34, accent, 'rx="6"') +
      circle(200, 236, 5, ink),
  );
};

/** One or two journals lying, and one standing on them. */
export const books: Motif = (brush) => {
  const { colour, between, pick } = brush;
  const { base, accent, light, ink } = colour;
  const lying = between(1, 2);
  const pile = repeat(lying, (i) => {
    const [x, y] = [106 + between(-8, 8), FLOOR - 30 * (i + 1)];
    return (
      block(x, y, 192, 30, i ? base : accent, 'rx="5"') +
      block(x + 14, y + 6, 178, 18, light) +
      line(`M${x + 14} ${y + 15}h178`, ink, 1, 'opacity=".3"')
    );
  });
  const emblem = pick([
    () => circle(197, 230, 26, light) + circle(197, 230, 15, accent),
    () => block(170, 206, 54, 34, light, 'rx="3"') + line('M180 218h34M180 228h24', accent, 3),
    () =>
      shape(
        repeat(5, (i) => leafAt(197, 256, 52, 9, (i - 2) * 32)),
        light,
      ),
    () => line('M172 230a25 25 0 0 1 50 0M182 230a15 15 0 0 1 30 0M192 230a5 5 0 0 1 10 0', light, 5),
  ])();
  const standing =
    block(146, 150, 120, 172, light) +
    slab(140, 146, 120, 176, 6, base) +
    emblem +
    block(140, 146, 16, 176, ink, 'opacity=".22"') +
    block(238, 146, 7, 176, accent);
  return onTable(
    brush,
    104,
    pile + group(`translate(0 ${-30 * lying})rotate(${between(-5, 5)} 200 322)`, standing),
  );
};
