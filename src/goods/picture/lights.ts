/** Lamps, lanterns and candles. */
import {
  block,
  circle,
  copies,
  FLOOR,
  flame,
  line,
  type Motif,
  painted,
  repeat,
  shaded,
  slab,
  turned,
} from './brush.ts';
import { onTable, onWall } from './rooms.ts';

export const tableLamp: Motif = (brush) => {
  const { colour, between, pick } = brush;
  const [crown, brim] = [between(36, 62), between(84, 102)];
  const foot = pick([
    turned('9,200 9,232 46,276 30,322'),
    turned('8,200 8,300 52,312 52,322'),
    turned('9,200 30,222 14,246 38,280 16,306 48,322'),
  ]);
  return onTable(
    brush,
    58,
    circle(200, 170, 165, 'url(#glow)') +
      shaded(foot, colour.base) +
      line('M248 196v46', colour.ink, 2) +
      circle(248, 246, 5, colour.accent) +
      shaded(`M${200 - crown} 92H${200 + crown}L${200 + brim} 200Q200 214 ${200 - brim} 200Z`, colour.light) +
      line(`M${200 - brim} 199Q200 213 ${200 + brim} 199M${200 - crown} 93H${200 + crown}`, colour.accent, 6),
  );
};

export const pendantLamp: Motif = (brush) => {
  const { colour, between, pick } = brush;
  const brim = between(92, 116);
  const shade = pick([
    `M${200 - brim} 226C${200 - brim} 124 ${200 + brim} 124 ${200 + brim} 226Z`,
    `M176 142h48L${200 + brim} 226H${200 - brim}Z`,
    turned(`30,136 ${brim - 14},168 ${brim - 8},206 46,240`),
  ]);
  const ribs = repeat(9, (i) => `M200 110L${200 + (i - 4) * 32} 250`);
  return onWall(
    brush,
    circle(200, 250, 190, 'url(#glow)') +
      line('M200 0V146', colour.ink, 4) +
      circle(200, 232, 22, colour.light) +
      shaded(turned('9,122 18,132 20,148'), colour.ink) +
      painted(
        shade,
        colour.base,
        line(ribs, colour.ink, 3, 'opacity=".3"') + block(0, 204, 400, 10, colour.accent),
      ),
  );
};

/** Three of one kind, tall and small. */
export const candlesticks: Motif = (brush) => {
  const { colour, between, pick } = brush;
  const foot = pick([
    '20,-86 7,-74 12,-44 7,-18 34,0',
    '20,-88 8,-76 9,-34 14,-14 34,0',
    '16,-80 8,-66 22,-40 6,-22 30,0',
  ]);
  const candle = between(-182, -156);
  const stick =
    circle(0, candle - 18, 54, 'url(#glow)') +
    slab(-9, candle, 18, -80 - candle, 3, pick([colour.light, colour.accent])) +
    flame(0, candle - 2, 32) +
    shaded(turned(foot, 0), colour.base);
  const places = [126, 274, 200].map(
    (x, i) => `translate(${x} ${FLOOR - 4 + i * 2})scale(${between(72, 92) / 100 + i * 0.14})`,
  );
  return onTable(brush, 104, copies('stick', stick, places));
};

export const lantern: Motif = (brush) => {
  const { colour, between } = brush;
  const half = between(54, 66);
  const wide = half * 2;
  return onTable(
    brush,
    half + 8,
    circle(200, 236, 160, 'url(#glow)') +
      circle(200, 118, 20, 'none', `stroke="${colour.ink}" stroke-width="6"`) +
      shaded(`M184 138h32L${212 + half} 178H${188 - half}Z`, colour.base) +
      block(200 - half, 178, wide, 132, colour.light, 'opacity=".6"') +
      slab(182, 252, 36, 58, 4, colour.light) +
      flame(200, 250, 48) +
      line(
        `M${200 - half} 182v126m${half * 0.6}-130v132m${half * 0.8} 0v-132m${half * 0.6} 4v126`,
        colour.base,
        5,
      ) +
      shaded(`M${188 - half} 306h${wide + 24}v16h-${wide + 24}Z`, colour.base),
  );
};
