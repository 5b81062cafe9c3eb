/** The few kinds of Grafana panels that the dashboard uses. */

/**
 * @typedef {[expr: string, legend?: string]} Query
 * @typedef {object} Facts
 * @property {string} title
 * @property {string} about What is normal, and what to do when it is not: the panel's description.
 * @property {readonly Query[]} queries
 * @property {string} [unit] Of Grafana's units: `s`, `bytes`, `percentunit`, `ops`, …
 * @property {number} [width] Of 24.
 */

/** The Grafana that compose.yaml runs, and the schema of its dashboards: test/monitoring holds the two to each other. */
export const GRAFANA = { version: '12.4.3', schema: 42 };

/** The uid in provisioning/datasources/prometheus.yml. */
export const PROMETHEUS = { type: 'prometheus', uid: 'prometheus' };

const GREEN_TO_RED = { green: null };

/** @param {Record<string, number | null>} steps colour → from which value on; null: from the lowest */
const thresholdsOf = (steps) => ({
  mode: 'absolute',
  steps: Object.entries(steps).map(([color, value]) => ({ color, value })),
});

/** @param {readonly Query[]} queries */
const targetsOf = (queries, kind = {}) =>
  queries.map(([expr, legend], i) => ({
    refId: String.fromCharCode(65 + i),
    datasource: PROMETHEUS,
    editorMode: 'code',
    expr,
    ...(legend !== undefined && { legendFormat: legend }),
    ...kind,
  }));

/** @param {string} type @param {Facts} facts */
const panel = (
  type,
  { title, about, queries, unit = 'short' },
  { kind = {}, defaults = {}, options = {} },
) => ({
  type,
  title,
  pluginVersion: GRAFANA.version,
  description: about,
  datasource: PROMETHEUS,
  targets: targetsOf(queries, kind),
  fieldConfig: { defaults: { unit, ...defaults }, overrides: [] },
  options,
});

/**
 * One figure, coloured by what it means; with `named` one for each series, and whose it is.
 * @param {Facts & { steps?: Record<string, number | null>, words?: Record<string, string>, decimals?: number, named?: boolean }} facts
 *   `words`: what is shown for a value
 */
export function figure({ steps = GREEN_TO_RED, words, decimals, named = false, width = 3, ...facts }) {
  const mapped = words && Object.entries(words).map(([value, text]) => [value, { text }]);
  const defaults = {
    color: { mode: 'thresholds' },
    thresholds: thresholdsOf(steps),
    noValue: 'none',
    ...(decimals !== undefined && { decimals }),
    ...(mapped && { mappings: [{ type: 'value', options: Object.fromEntries(mapped) }] }),
  };
  const options = {
    reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    orientation: 'auto',
    textMode: named ? 'value_and_name' : 'value',
    colorMode: 'value',
    graphMode: words ? 'none' : 'area',
    justifyMode: 'auto',
    wideLayout: true,
    showPercentChange: false,
    percentChangeColorMode: 'standard',
  };
  return { ...panel('stat', facts, { defaults, options }), size: { w: width, h: 4 } };
}

/**
 * Lines over time; stacked when their sum is what counts.
 * @param {Facts & { stacked?: boolean, max?: number, limit?: number }} facts `limit`: a red line
 */
export function lines({ stacked = false, max, limit, width = 8, ...facts }) {
  const defaults = {
    min: 0,
    ...(max !== undefined && { max }),
    color: { mode: 'palette-classic' },
    ...(limit !== undefined && { thresholds: thresholdsOf({ transparent: null, red: limit }) }),
    custom: {
      drawStyle: 'line',
      lineWidth: 1,
      fillOpacity: stacked ? 40 : 8,
      showPoints: 'never',
      stacking: { mode: stacked ? 'normal' : 'none', group: 'A' },
      thresholdsStyle: { mode: limit === undefined ? 'off' : 'line' },
    },
  };
  const options = {
    legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
    tooltip: { mode: 'multi', sort: 'desc' },
  };
  return { ...panel('timeseries', facts, { defaults, options }), size: { w: width, h: 8 } };
}

/**
 * How a histogram's values spread over time. One query: its buckets' rates, by `le`.
 * @param {Facts} facts
 */
export function spread({ width = 8, unit = 's', ...facts }) {
  const options = {
    calculate: false,
    cellGap: 0,
    color: {
      mode: 'scheme',
      scheme: 'Oranges',
      steps: 64,
      exponent: 0.5,
      fill: 'dark-orange',
      reverse: false,
    },
    exemplars: { color: 'rgba(255,0,255,0.7)' },
    filterValues: { le: 1e-9 },
    legend: { show: true },
    rowsFrame: { layout: 'auto' },
    showValue: 'never',
    tooltip: { mode: 'single', showColorScale: false, yHistogram: true },
    yAxis: { axisPlacement: 'left', reverse: false, unit },
  };
  const made = panel('heatmap', { ...facts, unit: 'ops' }, { kind: { format: 'heatmap' }, options });
  return { ...made, size: { w: width, h: 8 } };
}

/**
 * What is so now, a row per combination of labels and a column per query.
 * @param {Facts & { columns: Record<string, string>, hidden?: readonly string[], units?: Record<string, string> }} facts
 *   `columns`: name of a label, or of a query's value (`Value #A`) → its head; `units`: head → unit
 */
export function table({ columns, hidden = [], units = {}, width = 12, ...facts }) {
  const made = panel('table', facts, {
    kind: { format: 'table', instant: true, range: false },
    defaults: { custom: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false } },
    options: { showHeader: true, cellHeight: 'sm', frameIndex: 0, enablePagination: false },
  });
  const overrides = Object.entries(units).map(([head, unit]) => ({
    matcher: { id: 'byName', options: head },
    properties: [{ id: 'unit', value: unit }],
  }));
  const excludeByName = Object.fromEntries(['Time', ...hidden].map((name) => [name, true]));
  const indexByName = Object.fromEntries(Object.keys(columns).map((name, i) => [name, i]));
  return {
    ...made,
    fieldConfig: { ...made.fieldConfig, overrides },
    transformations: [
      { id: 'merge', options: {} },
      { id: 'organize', options: { excludeByName, indexByName, renameByName: columns } },
    ],
    size: { w: width, h: 8 },
  };
}

const COLUMNS = 24;

/**
 * Rows with a title, and their panels from left to right. The first row is open; the others are opened by a click, and
 * ask nothing until then.
 * @param {Record<string, readonly object[]>} rows
 */
export function layOut(rows) {
  const placed = [];
  let id = 1;
  let y = 0;
  for (const [title, members] of Object.entries(rows)) {
    const row = { id: id++, type: 'row', title, gridPos: { x: 0, y: y++, w: COLUMNS, h: 1 } };
    const { panels, height } = place(members, id, y);
    id += panels.length;
    if (placed.length === 0) {
      placed.push({ ...row, collapsed: false, panels: [] }, ...panels);
      y += height;
    } else placed.push({ ...row, collapsed: true, panels });
  }
  return placed;
}

/** Panels from left to right, in as many lines as they need, from the line `top` on. */
function place(members, firstId, top) {
  const panels = [];
  let [x, y, lineHeight] = [0, top, 0];
  for (const { size, ...rest } of members) {
    if (x + size.w > COLUMNS) {
      y += lineHeight;
      x = lineHeight = 0;
    }
    panels.push({ id: firstId + panels.length, gridPos: { x, y, ...size }, ...rest });
    x += size.w;
    lineHeight = Math.max(lineHeight, size.h);
  }
  return { panels, height: y + lineHeight - top };
}
