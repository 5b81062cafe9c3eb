/** Things turned on a wheel: for flowers, fruit, tea and plants. */
import {
  type Brush,
  block,
  circle,
  copies,
  ellipse,
  FLOOR,
  leaf,
  line,
  type Motif,
  painted,
  repeat,
  shaded,
  shape,
  turned,
} from './brush.ts';
import { blades, blossoms, cactus, fan, grasses, twigs } from './plants.ts';
import { onTable } from './rooms.ts';

const VASES = [
  '20,172 17,208 56,258 58,292 36,322',
  '30,196 24,214 72,262 62,304 38,322',
  '44,186 50,236 46,286 38,322',
  '34,180 26,204 50,240 64,276 48,312 40,322',
  '58,200 62,232 44,288 28,322',
];

/** A vase with stems. */
export const vase: Motif = (brush) => {
  const { colour, between, pick } = brush;
  const profile = pick(VASES);
  const [half, top] = profile.split(/[ ,]/).map(Number) as [number, number];
  const plant = pick([blossoms, twigs, grasses]);
  return onTable(
    brush,
    62,
    plant(brush, half > 30 ? between(4, 5) : 3, top) +
      mouth(half, top, colour.ink) +
      glazed(brush, turned(profile), top),
  );
};

/** A jug, a pitcher or a carafe. */
export const jug: Motif = (brush) => {
  const { colour, between } = brush;
  const belly = between(56, 70);
  const body = turned(`36,168 30,204 ${belly},268 ${belly - 12},308 42,322`);
  const handle = `M168 186C92 176 84 262 ${206 - belly} 278`;
  return onTable(
    brush,
    70,
    line(handle, colour.base, 15) +
      line(handle, colour.ink, 15, 'opacity=".14"') +
      shape('M226 168q26-12 32 2l-26 34Z', colour.base) +
      mouth(36, 168, colour.ink) +
      glazed(brush, body, 168),
  );
};

const bowlWith =
  (content: (brush: Brush, rim: number) => string): Motif =>
  (brush) => {
    const half = brush.between(104, 124);
    const rim = brush.between(222, 238);
    const body = turned(`${half},${rim} ${half - 14},${rim + 42} 54,308 44,322`);
    return onTable(
      brush,
      84,
      mouth(half, rim, brush.colour.ink) + content(brush, rim) + glazed(brush, body, rim),
    );
  };

export const bowl = bowlWith((brush, rim) => (brush.pick([true, false]) ? fruits(brush, rim) : ''));
export const fruitBowl = bowlWith(fruits);

export const cup: Motif = (brush) => {
  const { colour, between } = brush;
  const half = between(52, 64);
  const top = between(206, 224);
  const foot = between(32, half - 6);
  const steam = `M184 ${top - 26}q-16-22 0-42t0-40M216 ${top - 22}q-16-22 0-42t0-40`;
  return onTable(
    brush,
    92,
    line(steam, colour.light, 6, 'opacity=".85"') +
      ellipse(200, FLOOR - 2, 96, 13, colour.accent) +
      ellipse(200, FLOOR - 5, 92, 10, colour.light, 'opacity=".5"') +
      line(`M${196 + half} ${top + 18}c52-8 50 62-6 56`, colour.base, 13) +
      mouth(half, top, colour.ink) +
      glazed(brush, turned(`${half},${top} ${half},${top + 40} ${foot + 8},306 ${foot},${FLOOR - 6}`), top),
  );
};

export const teapot: Motif = (brush) => {
  const { colour, between } = brush;
  const belly = between(72, 84);
  const spout = `M${190 + belly} 290c54-10 36-58 62-78l-16-8c-26 10-28 36-56 44Z`;
  const overhead = `M${204 - belly} 232C140 128 260 128 ${196 + belly} 232`;
  return onTable(
    brush,
    88,
    line(overhead, colour.ink, 9) +
      shaded(spout, colour.base) +
      glazed(brush, turned(`34,216 ${belly - 10},240 ${belly},276 50,322`), 216) +
      shaded(turned('8,202 30,208 38,220'), colour.accent) +
      circle(200, 196, 10, colour.ink),
  );
};

export const planter: Motif = (brush) => {
  const { colour, between, pick } = brush;
  const half = between(56, 68);
  const plant = pick([fan, blades, cactus]);
  const pot = turned(`${half},240 ${half - 6},280 ${half - 16},322`);
  return onTable(brush, half, plant(brush) + mouth(half, 240, colour.ink) + glazed(brush, pot, 240));
};

/** The opening, seen a little from above. */
function mouth(half: number, y: number, ink: string): string {
  return ellipse(200, y, half, half * 0.1 + 2, ink);
}

/** A body in one of five glazes. */
function glazed(brush: Brush, body: string, top: number): string {
  const { colour, between, pick } = brush;
  const { base, accent, light, ink } = colour;
  const middle = Math.round((top + FLOOR) / 2) + between(-12, 12);
  return pick([
    () => shaded(body, base),
    () => painted(body, base, shape(`M0 ${middle}q50-16 100 0t100 0t100 0t100 0V400H0Z`, light)),
    () => painted(body, base, block(0, middle, 400, 16, accent) + block(0, middle + 22, 400, 6, light)),
    () => painted(body, light, shape(`M0 ${middle}q50 24 100 0t100 0t100 0t100 0V0H0Z`, base)),
    () => painted(body, light, [base, accent, ink].map((fill) => specks(brush, top, fill)).join('')),
  ])();
}

function specks({ between }: Brush, top: number, fill: string): string {
  return line(
    repeat(11, () => `M${between(85, 315)} ${between(top, FLOOR)}h0`),
    fill,
    between(3, 7),
  );
}

function fruits({ colour, between }: Brush, rim: number): string {
  const { accent, light, base, ink } = colour;
  const spots = [
    [140, rim - 14, accent],
    [180, rim - 30, light],
    [222, rim - 30, accent],
    [260, rim - 14, base],
  ] as const;
  const gloss =
    circle(0, 0, 32, 'url(#round)') + line('M0-27q2-8 6-13', ink, 3) + leaf(4, -32, 22, 8, 62, ink);
  const places = spots.map(([x, y]) => `translate(${x} ${y})rotate(${between(-25, 25)})`);
  return spots.map(([x, y, fill]) => circle(x, y, 32, fill)).join('') + copies('fruit', gloss, places);
}
