/** A framed print, and the scenes that may be on it: within x 122 to 278, y 74 to 284. */
import {
  type Brush,
  block,
  circle,
  ellipse,
  FLOOR,
  leafAt,
  line,
  type Motif,
  mosaic,
  repeat,
  shape,
} from './brush.ts';
import { onTable } from './rooms.ts';

type Scene = (brush: Brush) => string;

const LEFT = 122;
const TOP = 74;
const WIDTH = 156;
const HEIGHT = 210;

export const framed =
  (scenes: readonly Scene[]): Motif =>
  (brush) => {
    const { colour, pick } = brush;
    const frame = pick([colour.ink, colour.base, colour.accent]);
    const scene = pick(scenes)(brush);
    return onTable(
      brush,
      104,
      block(106, 44, 206, FLOOR - 44, colour.ink, 'opacity=".16"') +
        block(98, 40, 204, FLOOR - 40, frame) +
        block(98, 40, 204, FLOOR - 40, 'url(#round)') +
        block(107, 49, 186, FLOOR - 58, colour.light) +
        `<clipPath id="skin">${block(LEFT, TOP, WIDTH, HEIGHT, 'none')}</clipPath>` +
        `<g clip-path="url(#skin)">${block(LEFT, TOP, WIDTH, HEIGHT, colour.wall)}${scene}</g>` +
        shape('M107 49h120L150 313h-43Z', '#fff', 'opacity=".07"'),
    );
  };

export const hills: Scene = ({ colour, between }) => {
  const { accent, base, table, ink } = colour;
  const ridge = (y: number, fill: string, opacity: number) => {
    const bend = between(-34, 34);
    return shape(
      `M110 ${y}c40 ${-40 - bend} 70 ${30 + bend} 100 ${-bend}s60 -20 80 ${bend}V300H110Z`,
      fill,
      `opacity="${opacity}"`,
    );
  };
  return (
    circle(between(160, 240), between(112, 140), between(22, 34), accent) +
    ridge(178, table, 1) +
    ridge(204, base, 0.55) +
    ridge(232, base, 1) +
    ridge(262, ink, 0.9)
  );
};

export const waves: Scene = ({ colour, between }) => {
  const { accent, base, light } = colour;
  const x = between(160, 240);
  const swell = (i: number) => {
    const [y, shift] = [184 + i * 20, between(0, 40)];
    return shape(
      `M${80 - shift} ${y}${'q15-12 30 0t30 0'.repeat(5)}V320H80Z`,
      i % 2 ? light : base,
      `opacity="${i % 2 ? 0.85 : 1}"`,
    );
  };
  return (
    circle(x, 168, between(34, 46), accent) +
    repeat(5, swell) +
    line(`M${x < 200 ? 226 : 138} 108q9-10 16 0q7-10 16 0`, colour.ink, 3)
  );
};

export const arches: Scene = ({ colour, between }) => {
  const { accent, base, light, ink, table } = colour;
  const bands = [base, light, accent, table, ink];
  const rainbow = (x: number, y: number, radius: number) =>
    bands
      .map((fill, i) => {
        const r = radius * (1 - i * 0.2);
        return shape(`M${x - r} 300V${y}a${r} ${r} 0 0 1 ${r * 2} 0V300Z`, fill);
      })
      .join('');
  return (
    circle(between(146, 254), 104, 18, accent) +
    rainbow(200 + between(-24, 24), between(186, 214), between(64, 80))
  );
};

/** Quarter circles, arcs and leaves on a grid of three by four. */
export const bauhaus: Scene = ({ colour, pick }) => {
  const { accent, base, light, ink, table } = colour;
  const pairs = [
    [base, light],
    [accent, light],
    [light, ink],
    [table, base],
    [ink, accent],
    [light, accent],
  ] as const;
  const figures = [
    'h52a52 52 0 0 1-52 52Z',
    'm52 0v52h-52a52 52 0 0 1 52-52',
    'm0 26a26 26 0 0 1 52 0Z',
    'm26 6a20 20 0 1 1-.1 0',
    'q52 0 52 53q-52 0-52-53',
  ];
  const tiles = Array.from({ length: 12 }, (_, i) => {
    const corner = `M${LEFT + (i % 3) * 52} ${TOP + Math.floor(i / 3) * 53}`;
    const [ground, figure] = pick(pairs);
    return { ground: [`${corner}h53v53h-53Z`, ground], figure: [corner + pick(figures), figure] } as const;
  });
  return mosaic(tiles.map((tile) => tile.ground)) + mosaic(tiles.map((tile) => tile.figure));
};

export const terrazzo: Scene = ({ colour, between, pick }) => {
  const { accent, base, light, ink, table } = colour;
  const chips = Array.from({ length: 30 }, (_, i) => {
    const [x, y] = [LEFT + (i % 5) * 34 + between(-8, 8), TOP + Math.floor(i / 5) * 36 + between(-4, 10)];
    const [a, b] = [between(8, 17), between(4, 8)];
    const outline = `M${x} ${y}l${a} ${between(-9, 0)}l${b} ${b * 2}l${-a} ${between(3, 8)}l${-b - 3} ${-b}Z`;
    return [outline, pick([accent, base, ink, table, accent, base])] as const;
  });
  return block(LEFT, TOP, WIDTH, HEIGHT, light) + mosaic(chips);
};

export const stones: Scene = ({ colour, between }) => {
  const { accent, base, ink, light } = colour;
  const heap = repeat(5, (i) =>
    ellipse(
      200 + between(-7, 7),
      250 - i * 29,
      56 - i * 9 + between(-3, 5),
      16 - i * 0.7,
      [ink, base, accent, base, ink][i]!,
    ),
  );
  return circle(200, 164, 66, light) + block(110, 264, 180, 40, colour.table) + heap;
};

export const botanical: Scene = ({ colour, between }) => {
  const { accent, base, ink, light } = colour;
  const side = (angle: number, y: number) => repeat(5, (i) => leafAt(200, y - i * 26, 54 - i * 5, 16, angle));
  return (
    circle(between(170, 230), between(130, 170), 58, light) +
    line('M200 284V112', ink, 4) +
    shape(side(-54, 240) + leafAt(200, 116, 40, 11, 0), base) +
    shape(side(54, 234), accent)
  );
};
