/** A bar chart as SVG: plain, and legible on a light and on a dark page alike. */

export interface Bar {
  readonly label: string;
  /** How long it is. */
  readonly value: number;
  /** The least and the greatest of the rounds. */
  readonly range: readonly [number, number];
  /** The value as it is written. */
  readonly figure: string;
  /** Printed after the figure. */
  readonly note: string;
}

const WIDTH = 860;
const LABEL = 250;
const NOTE = 150;
const ROW = 34;
const TOP = 46;
/** Greys and a blue with enough contrast on white and on near-black. */
export const INK = '#7d8590';
export const FILL = '#4184e4';

/** Draws the bars below a title and a line of small print. */
export function drawBars(title: string, small: string, bars: readonly Bar[]): string {
  const most = Math.max(...bars.map((bar) => bar.range[1]));
  const scale = (WIDTH - LABEL - NOTE) / most;
  const height = TOP + bars.length * ROW + 26;
  const rows = bars.map((bar, i) => drawBar(bar, TOP + i * ROW, scale));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeXml(title)}">
<g font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="14" fill="${INK}">
<text x="0" y="20" font-size="16" font-weight="600">${escapeXml(title)}</text>
${rows.join('\n')}
<text x="0" y="${height - 6}" font-size="11">${escapeXml(small)}</text>
</g>
</svg>
`;
}

function drawBar({ label, value, range, figure, note }: Bar, y: number, scale: number): string {
  const at = (figure: number) => (LABEL + figure * scale).toFixed(1);
  const middle = y + ROW / 2;
  return [
    `<text x="${LABEL - 12}" y="${middle + 5}" text-anchor="end">${escapeXml(label)}</text>`,
    `<rect x="${LABEL}" y="${y + 6}" width="${(value * scale).toFixed(1)}" height="${ROW - 12}" rx="3" fill="${FILL}"/>`,
    `<path d="M${at(range[0])} ${middle}H${at(range[1])}M${at(range[0])} ${middle - 5}v10M${at(range[1])} ${middle - 5}v10" stroke="${INK}" stroke-width="1.5" fill="none"/>`,
    `<text x="${(LABEL + range[1] * scale + 10).toFixed(1)}" y="${middle + 5}"><tspan font-weight="600">${figure}</tspan>${escapeXml(note && `  ${note}`)}</text>`,
  ].join('\n');
}

const escapeXml = (text: string) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
