const SVG = 'http://www.w3.org/2000/svg';
/** Ten minutes of a message a second. */
const POINTS_MAX = 600;
const [WIDTH, HEIGHT] = [600, 80];

/** A curve of the last ten minutes. */
export interface Chart {
  readonly element: SVGSVGElement;
  add(value: number): void;
}

export function createChart(label: string): Chart {
  const element = document.createElementNS(SVG, 'svg');
  element.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  element.setAttribute('preserveAspectRatio', 'none');
  element.setAttribute('role', 'img');
  element.setAttribute('aria-label', label);
  element.classList.add('chart');
  const area = document.createElementNS(SVG, 'path');
  area.classList.add('area');
  const line = document.createElementNS(SVG, 'path');
  line.classList.add('curve');
  element.append(area, line);
  const points: number[] = [];
  return {
    element,
    add(value) {
      points.push(value);
      if (points.length > POINTS_MAX) points.shift();
      const highest = Math.max(1, ...points);
      const step = WIDTH / Math.max(1, POINTS_MAX - 1);
      const path = points
        .map((each, i) => {
          const x = WIDTH - (points.length - 1 - i) * step;
          const y = HEIGHT - 2 - (each / highest) * (HEIGHT - 6);
          return `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
        })
        .join('');
      line.setAttribute('d', path);
      const left = WIDTH - (points.length - 1) * step;
      area.setAttribute('d', `${path}L${WIDTH} ${HEIGHT}L${left.toFixed(1)} ${HEIGHT}Z`);
    },
  };
}
