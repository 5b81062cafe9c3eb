const SVG = 'http://www.w3.org/2000/svg';
/** A minute, when there is no more, up to ten, of a message a second. */
const POINTS = { least: 60, most: 600 } as const;
const [WIDTH, HEIGHT] = [600, 80];
/** Above the highest point and below the lowest, so that no line is cut. */
const EDGE = 3;

/** Curves of the last minutes, one for each series, on one scale. */
export interface Chart {
  readonly element: SVGSVGElement;
  /** The next point of each series. */
  add(...values: readonly number[]): void;
}

interface Series {
  readonly points: number[];
  readonly line: SVGPathElement;
  readonly area: SVGPathElement;
}

const make = <K extends keyof SVGElementTagNameMap>(tag: K, name: string): SVGElementTagNameMap[K] => {
  const element = document.createElementNS(SVG, tag);
  element.setAttribute('class', name);
  return element;
};

/** @param names a class for each series */
export function createChart(label: string, ...names: readonly string[]): Chart {
  const element = make('svg', 'chart');
  element.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  element.setAttribute('preserveAspectRatio', 'none');
  element.setAttribute('role', 'img');
  element.setAttribute('aria-label', label);
  const series = names.map((name): Series => {
    const [area, line] = [make('path', `area ${name}`), make('path', `curve ${name}`)];
    element.append(area, line);
    return { points: [], line, area };
  });
  return {
    element,
    add(...values) {
      for (const [i, { points }] of series.entries()) {
        points.push(values[i] ?? 0);
        if (points.length > POINTS.most) points.shift();
      }
      const highest = Math.max(1, ...series.flatMap(({ points }) => points));
      for (const each of series) draw(each, highest);
    },
  };
}

function draw({ points, line, area }: Series, highest: number): void {
  const step = WIDTH / (Math.max(POINTS.least, points.length) - 1);
  const from = WIDTH - (points.length - 1) * step;
  const path = points
    .map((each, i) => {
      const y = HEIGHT - EDGE - (each / highest) * (HEIGHT - 2 * EDGE);
      return `${i === 0 ? 'M' : 'L'}${(from + i * step).toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');
  line.setAttribute('d', path);
  area.setAttribute('d', `${path}L${WIDTH} ${HEIGHT}L${from.toFixed(1)} ${HEIGHT}Z`);
}
