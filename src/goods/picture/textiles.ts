/** Folded cloth, cushions and rugs. */
import {
  block,
  circle,
  FLOOR,
  group,
  line,
  type Motif,
  painted,
  repeat,
  shaded,
  shape,
  slab,
} from './brush.ts';
import { onFloor, onTable } from './rooms.ts';

export const foldedCloth: Motif = (brush) => {
  const { colour, between, pick } = brush;
  const colours = [colour.base, colour.light, colour.accent, colour.base];
  const layers = between(3, 4);
  const folds = repeat(layers, (i) => {
    const [x, y] = [96 + between(-6, 6), FLOOR - 44 * (i + 1)];
    const stripe = pick([0, 1, 2]);
    const [fill, thread] = [colours[i]!, colours[(i + 1) % 3]!];
    return (
      block(x, y, 208, 44, fill, 'rx="22"') +
      repeat(stripe, (s) => block(x + 130 + s * 22, y, 12, 44, thread)) +
      line(`M${x + 30} ${y + 22}H${x + 206}`, colour.ink, 2, 'opacity=".25"') +
      block(x, y, 208, 44, 'url(#fall)', 'rx="22"')
    );
  });
  const top = FLOOR - 44 * layers;
  const fringe = repeat(11, (i) => `M${232 + i * 6} ${top + 78}v18`);
  return onTable(
    brush,
    108,
    folds +
      slab(228, top - 3, 68, 84, 6, colours[layers - 1]!, 'fall') +
      line(`M228 ${top + 62}h68`, colours[layers % 3]!, 8) +
      line(fringe, colours[layers - 1]!, 3),
  );
};

export const cushion: Motif = (brush) => {
  const { colour, between, pick } = brush;
  const pillow = 'M104 136Q200 158 296 136Q280 226 298 316Q200 300 102 316Q120 226 104 136Z';
  const pattern = pick([
    () => repeat(5, (i) => block(110 + i * 42, 120, between(8, 22), 220, colour.light)),
    () =>
      line(
        repeat(7, (i) => `M80 ${120 + i * 36}l40 24l40-24l40 24l40-24l40 24l40-24`),
        colour.light,
        9,
      ),
    () =>
      line(
        repeat(35, (i) => `M${92 + (i % 7) * 36} ${150 + Math.floor(i / 7) * 40}h0`),
        colour.light,
        17,
      ),
    () => repeat(4, (i) => circle(200, 228, 100 - i * 26, i % 2 ? colour.base : colour.light)),
    () => block(80, 228, 260, 120, colour.light) + circle(200, 228, 46, colour.ink, 'opacity=".85"'),
  ])();
  return onTable(
    brush,
    118,
    group(
      `translate(${pick([-34, 40])} -30)rotate(${between(-8, 8)} 200 226)`,
      shaded(pillow, colour.accent),
    ) + group(`translate(0 6)rotate(${between(-4, 4)} 200 316)`, painted(pillow, colour.base, pattern)),
  );
};

export const rug: Motif = (brush) => {
  const { colour, between, pick } = brush;
  const { base, accent, light, ink } = colour;
  const fringe = repeat(20, (i) => `M${109 + i * 9.6} 48v304`);
  const row = pick([
    (y: number) =>
      shape(
        repeat(4, (i) => `M${124 + i * 38} ${y}l19-26l19 26l-19 26Z`),
        light,
      ),
    (y: number) => line(`M124 ${y}l19-20l19 20l19-20l19 20l19-20l19 20l19-20l19 20`, light, 8),
    (y: number) => block(124, y - 12, 152, 24, light) + block(124, y - 4, 152, 8, ink),
    (y: number) => repeat(4, (i) => circle(143 + i * 38, y, 15, light) + circle(143 + i * 38, y, 6, accent)),
  ]);
  const rows = [114, 171, 229, 286].map(row).join('');
  return onFloor(
    brush,
    group(
      `rotate(${between(-9, 9)} 200 200)`,
      block(106, 60, 206, 292, ink, 'opacity=".18"') +
        line(fringe, light, 3) +
        block(100, 62, 200, 276, base) +
        block(112, 74, 176, 252, 'none', `stroke="${accent}" stroke-width="7"`) +
        rows +
        block(100, 62, 200, 276, 'url(#fall)'),
    ),
  );
};
