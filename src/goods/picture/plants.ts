/** What grows in vases and pots. */
import { type Brush, circle, copies, leaf, leafAt, line, mosaic, repeat, shape } from './brush.ts';

/** A plant of `stems` stems, out of a mouth at height `top`. */
type Plant = (brush: Brush, stems: number, top: number) => string;

/** How far stem `index` of `stems` leans from the middle: -1 to 1. */
function lean(index: number, stems: number): number {
  return (2 * index) / (stems - 1) - 1;
}

export const blossoms: Plant = ({ colour, between, pick }, stems, top) => {
  const petals = pick([colour.accent, colour.light, colour.accent]);
  const heart = petals === colour.light ? colour.accent : colour.light;
  const flower =
    shape(
      repeat(5, (i) => leafAt(0, 0, 25, 13, i * 72)),
      petals,
    ) + circle(0, 0, 7, heart);
  const tips = Array.from({ length: stems }, (_, i) => {
    const side = lean(i, stems);
    return [200 + side * between(62, 84), top - between(88, 118) + Math.abs(side) * 34] as const;
  });
  const stalks = tips.map(
    ([x, y], i) => `M${200 + lean(i, stems) * 9} ${top}Q${(x + 600) / 4} ${top - 50} ${x} ${y}`,
  );
  const places = tips.map(
    ([x, y], i) => `translate(${x} ${y})rotate(${lean(i, stems) * 34 + between(-9, 9)})`,
  );
  return line(stalks.join(''), colour.ink, 3) + copies('flower', flower, places);
};

export const twigs: Plant = ({ colour, between }, stems, top) => {
  const side = (angle: number, lift: number) =>
    repeat(4, (i) => leafAt(0, -42 - lift - i * 24, 34 - i * 4, 11, angle));
  const twig =
    line('M0 0V-122', colour.ink, 3) +
    shape(side(-58, 0) + leafAt(0, -116, 32, 9, 0), colour.base) +
    shape(side(58, 6), colour.accent);
  const places = Array.from({ length: stems }, (_, i) => {
    const tilt = lean(i, stems) * 40 + between(-4, 4);
    return `translate(${200 + lean(i, stems) * 9} ${top})rotate(${tilt})scale(${between(78, 108) / 100})`;
  });
  return copies('twig', twig, places);
};

export const grasses: Plant = ({ colour, between, pick }, stems, top) => {
  const plume = pick([colour.accent, colour.light, colour.accent]);
  const blade =
    line('M0 0Q-4-50 0-84', colour.ink, 3) +
    leaf(0, -66, 78, 15, 3, plume) +
    line('M0-70l2-52', colour.ink, 2, 'opacity=".35"');
  const places = Array.from({ length: stems }, (_, i) => {
    const tilt = lean(i, stems) * 36 + between(-5, 5);
    return `translate(${200 + lean(i, stems) * 9} ${top})rotate(${tilt})scale(${between(80, 110) / 100})`;
  });
  return copies('blade', blade, places);
};

/** Plants for a pot whose mouth is at 240. */
export function fan({ colour, between }: Brush): string {
  const leaves = [0, 2, 4, 6, 1, 3, 5].map((i) =>
    leaf(
      200,
      244,
      between(112, 150) - Math.abs(i - 3) * 10,
      23,
      (i - 3) * 25,
      i % 2 ? colour.base : colour.accent,
    ),
  );
  const veins = repeat(7, (i) => leafAt(200, 244, 96, 1, (i - 3) * 25));
  return leaves.join('') + line(veins, colour.light, 1, 'opacity=".5"');
}

export function blades({ colour, between }: Brush): string {
  const tall = Array.from({ length: 7 }, () => between(96, 168));
  const leaves = (width: number, share: number) =>
    tall.map((length, i) => leafAt(164 + i * 12, 246, length * share, width, (i - 3) * 7));
  const fills = tall.map((_, i) => (i % 2 ? colour.accent : colour.base));
  return (
    mosaic(leaves(14, 1).map((path, i) => [path, fills[i]!])) + shape(leaves(4, 0.9).join(''), colour.light)
  );
}

export function cactus({ colour, between }: Brush): string {
  const [left, right] = [between(202, 226), between(182, 210)];
  const arms = `M200 246V128M200 ${left}h-44v-34M200 ${right}h46v-40`;
  return (
    line(arms, colour.accent, 34, 'stroke-linejoin="round"') +
    line(arms, colour.light, 3, 'stroke-dasharray="1 13" opacity=".8"') +
    shape(
      repeat(5, (i) => leafAt(200, 116, 18, 8, (i - 2) * 36)),
      colour.base,
    )
  );
}
