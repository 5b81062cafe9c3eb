/**
 * What every motif draws with: chance that is the same for the same id, a palette, and a few strokes.
 * The canvas is 400 by 400; things stand on the table at FLOOR.
 */
import { PALETTES, type Palette } from './palettes.ts';

type Point = readonly [x: number, y: number];
export type Motif = (brush: Brush) => string;

export interface Brush {
  readonly colour: Palette;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  pick<T>(list: readonly T[]): T;
}

export const FLOOR = 322;

export function brushFor(seed: string): Brush {
  const random = randomFrom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  return {
    colour: pick(PALETTES),
    between: (low, high) => low + Math.floor(random() * (high - low + 1)),
    pick,
  };
}

/**
 * FNV-1a, its bits mixed, then mulberry32. Neighbouring ids differ in one letter: without the mixing whole
 * rows of the shop had the same palette.
 */
function randomFrom(seed: string): () => number {
  let state = 0x811c9dc5;
  for (let i = 0; i < seed.length; i++) state = Math.imul(state ^ seed.charCodeAt(i), 0x01000193);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` drawings side by side in the source, one per index. */
export function repeat(count: number, draw: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => draw(index)).join('');
}

/** A body shaded like a cylinder. The gradients (#round, #fall, #sky, #glow) are defined in picture.ts. */
export function shaded(path: string, fill: string): string {
  return `<path d="${path}" fill="${fill}"/><path d="${path}" fill="url(#round)"/>`;
}

/** A shape with `pattern` painted on it and nowhere else. Once per picture: it owns the names. */
export function painted(path: string, fill: string, pattern: string): string {
  return (
    `<clipPath id="skin"><path id="body" d="${path}"/></clipPath><use href="#body" fill="${fill}"/>` +
    `<g clip-path="url(#skin)">${pattern}</g><use href="#body" fill="url(#round)"/>`
  );
}

/**
 * The outline of a thing turned on a wheel, from its profile: half width and height, from top to bottom,
 * as in `20,172 56,258 36,322`.
 */
export function turned(profile: string, centre = 200): string {
  const right = profile.split(' ').map((point): Point => {
    const [half, y] = point.split(',').map(Number);
    return [centre + half!, y!];
  });
  const left = right.map(([x, y]): Point => [2 * centre - x, y]).reverse();
  return `M${right[0]}${through(right)}L${left[0]}${through(left)}Z`;
}

/** A smooth line through all points (Catmull-Rom), continuing a path that is at the first. */
function through(points: readonly Point[]): string {
  const at = (i: number) => points[Math.min(Math.max(i, 0), points.length - 1)]!;
  return points
    .slice(1)
    .map(([x, y], i) => {
      const [before, from, after] = [at(i - 1), at(i), at(i + 2)];
      const out = [from[0] + (x - before[0]) / 6, from[1] + (y - before[1]) / 6];
      const into = [x - (after[0] - from[0]) / 6, y - (after[1] - from[1]) / 6];
      return `C${[...out, ...into, x, y].map(Math.round)}`;
    })
    .join('');
}

export function circle(x: number, y: number, radius: number, fill: string, more = ''): string {
  return `<circle cx="${x}" cy="${y}" r="${radius}" fill="${fill}"${more && ` ${more}`}/>`;
}

export function ellipse(x: number, y: number, rx: number, ry: number, fill: string, more = ''): string {
  return `<ellipse cx="${x}" cy="${y}" rx="${rx}" ry="${ry}" fill="${fill}"${more && ` ${more}`}/>`;
}

export function block(x: number, y: number, width: number, height: number, fill: string, more = ''): string {
  const corner = `${x ? ` x="${x}"` : ''}${y ? ` y="${y}"` : ''}`;
  return `<rect${corner} width="${width}" height="${height}" fill="${fill}"${more && ` ${more}`}/>`;
}

/** A board or a cloth with rounded corners and depth. */
export function slab(
  x: number,
  y: number,
  width: number,
  height: number,
  radius: number,
  fill: string,
  light: 'round' | 'fall' = 'round',
): string {
  const edge = `rx="${radius}"`;
  return block(x, y, width, height, fill, edge) + block(x, y, width, height, `url(#${light})`, edge);
}

export function group(transform: string, drawing: string): string {
  return `<g transform="${transform}">${drawing}</g>`;
}

export function shape(path: string, fill: string, more = ''): string {
  return `<path d="${path}" fill="${fill}"${more && ` ${more}`}/>`;
}

/** Lines end round: the svg element says so once. */
export function line(path: string, stroke: string, width: number, more = ''): string {
  return `<path d="${path}" fill="none" stroke="${stroke}" stroke-width="${width}"${more && ` ${more}`}/>`;
}

/** Many small pieces, as one path per colour: a third of the bytes. */
export function mosaic(pieces: readonly (readonly [path: string, fill: string])[]): string {
  const paths = new Map<string, string>();
  for (const [path, fill] of pieces) paths.set(fill, (paths.get(fill) ?? '') + path);
  return [...paths].map(([fill, path]) => shape(path, fill)).join('');
}

/** The outline of a leaf that grows from (x, y) in the direction of `angle` (0 is up, degrees). */
export function leafAt(x: number, y: number, length: number, width: number, angle: number): string {
  const [sin, cos] = [Math.sin((angle * Math.PI) / 180), Math.cos((angle * Math.PI) / 180)];
  const at = (across: number, along: number) =>
    `${Math.round(x + across * cos + along * sin)} ${Math.round(y + across * sin - along * cos)}`;
  const middle = length * 0.56;
  return `M${at(0, 0)}Q${at(-1.5 * width, middle)} ${at(0, length)}Q${at(1.5 * width, middle)} ${at(0, 0)}`;
}

export function leaf(
  x: number,
  y: number,
  length: number,
  width: number,
  angle: number,
  fill: string,
): string {
  return shape(leafAt(x, y, length, width, angle), fill);
}

/** The same drawing in several places: drawn once and then referred to. Each name once per picture. */
export function copies(name: string, drawing: string, transforms: readonly string[]): string {
  const uses = transforms.map((transform) => `<use href="#${name}" transform="${transform}"/>`);
  return `<defs><g id="${name}">${drawing}</g></defs>${uses.join('')}`;
}

/** A candle's flame is warm, whatever the palette. */
export function flame(x: number, y: number, height: number): string {
  return (
    leaf(x, y, height, height * 0.32, 0, '#f5a83c') + leaf(x, y, height * 0.55, height * 0.17, 0, '#fff3cf')
  );
}
