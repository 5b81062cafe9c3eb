import { FILL, INK } from '../chart.ts';
import type { Outcome, Setup } from './model.ts';

/** The drop as SVG: what was answered over time, a curve each; legible on a light and on a dark page alike. */

const WIDTH = 860;
const LEFT = 210;
const PANEL = 84;
const TOP = 40;

/** Answers per bin, each on a scale of its own. */
export function drawDrop(
  { boxes, cores, sales, items }: Setup,
  crowd: string,
  { curve, soldOutS }: Outcome,
): string {
  const title = `${crowd}, ${sales} × ${items.toLocaleString('en')} units, ${boxes} × ${cores} cores`;
  const panels = [
    ['bought and committed', curve.bought],
    ['refused: sold', curve.refused],
    ['503, to come again', curve.shed],
  ] as const;
  const bins = Math.max(...panels.map(([, counts]) => counts.length), 1);
  const height = TOP + panels.length * PANEL + 40;
  const at = (s: number) => (LEFT + (s / (bins * curve.binS)) * (WIDTH - LEFT)).toFixed(1);
  const rows = panels.map(([label, counts], n) => panelOf(label, counts, bins, curve.binS, TOP + n * PANEL));
  const bottom = TOP + panels.length * PANEL + 16;
  const ticks = [0, 1, 2, 3, 4].map((n) => (n / 4) * bins * curve.binS);
  const marks = ticks.map(
    (s, n) =>
      `<text x="${at(s)}" y="${bottom}" font-size="11" text-anchor="${n === 4 ? 'end' : 'start'}">${s.toFixed(1)} s</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${title}">
<g font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="14" fill="${INK}">
<text x="0" y="20" font-size="16" font-weight="600">${title}</text>
${[...rows, ...marks].join('\n')}
<path d="M${at(soldOutS)} ${TOP}V${bottom - 14}" stroke="${INK}" stroke-dasharray="4 4"/>
<text x="0" y="${height - 6}" font-size="11">simulated, from measured costs (docs/scale.md); dashed: the last unit is committed</text>
</g>
</svg>
`;
}

function panelOf(label: string, counts: readonly number[], bins: number, binS: number, y: number): string {
  const most = Math.max(...counts, 1);
  const step = (WIDTH - LEFT) / bins;
  const points = Array.from({ length: bins }, (_, n) => {
    const top = y + PANEL - 10 - ((counts[n] ?? 0) / most) * (PANEL - 24);
    return `${(LEFT + n * step).toFixed(1)} ${top.toFixed(1)}H${(LEFT + (n + 1) * step).toFixed(1)}`;
  });
  const base = y + PANEL - 10;
  return [
    `<text x="0" y="${y + 34}">${label}</text>`,
    `<text x="0" y="${y + 52}" font-size="11">at most ${Math.round(Math.max(...counts, 0) / binS).toLocaleString('en')} a second</text>`,
    `<path d="M${LEFT} ${base}L${points.join('L')}V${base}Z" fill="${FILL}"/>`,
  ].join('\n');
}
