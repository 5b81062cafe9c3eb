/**
 * Makes dashboards/flashsale.json: `node monitoring/grafana/dashboard.mjs`. The questions of a drop night, a row each; the first one is open.
 * What a figure means is in docs/metrics.md, what to do about it in docs/runbook.md.
 */
import { writeFileSync } from 'node:fs';
import { GRAFANA, layOut, PROMETHEUS } from './panels.mjs';
import { behind } from './rows/behind.mjs';
import { cost } from './rows/cost.mjs';
import { fast } from './rows/fast.mjs';
import { now } from './rows/now.mjs';
import { payments } from './rows/payments.mjs';
import { queue } from './rows/queue.mjs';
import { refused } from './rows/refused.mjs';
import { selling } from './rows/selling.mjs';
import { slow } from './rows/slow.mjs';
import { truth } from './rows/truth.mjs';
import { webhooks } from './rows/webhooks.mjs';

const mark = (name, iconColor, expr) => ({
  ...{ name, iconColor, datasource: PROMETHEUS, enable: true, hide: false },
  target: { refId: 'Anno', expr, interval: '' },
  titleFormat: name,
});

export const dashboard = {
  uid: 'flashsale',
  title: 'Flash sale',
  description: 'The questions of a drop night. What to do: docs/runbook.md.',
  tags: ['flashsale'],
  schemaVersion: GRAFANA.schema,
  editable: false,
  graphTooltip: 1,
  refresh: '5s',
  time: { from: 'now-15m', to: 'now' },
  timezone: 'browser',
  links: [],
  annotations: {
    list: [
      mark('A worker died', 'red', 'increase(flashsale_worker_deaths_total[15s]) > 0'),
      mark('A sale was loaded or rebuilt', 'blue', 'increase(flashsale_rebuilds_total[15s]) > 0'),
    ],
  },
  templating: {
    list: [
      {
        name: 'sale',
        label: 'Sale',
        type: 'query',
        datasource: PROMETHEUS,
        query: { qryType: 1, query: 'label_values(flashsale_sale_items, sale)', refId: 'sale' },
        refresh: 2,
        sort: 1,
        multi: true,
        includeAll: true,
        allValue: '.+',
        current: { text: ['All'], value: ['$__all'] },
      },
    ],
  },
  panels: layOut({
    'Now: is it selling?': [...now, ...selling],
    'How fast?': fast,
    'Who is refused, and why?': refused,
    'Whose turn is it?': queue,
    'Who has not paid yet?': payments,
    'Does the shop hear of it?': webhooks,
    'What is slow?': slow,
    'What is behind?': behind,
    'Is the truth intact?': truth,
    'What does it cost?': cost,
  }),
};

writeFileSync(
  new URL('dashboards/flashsale.json', import.meta.url),
  `${JSON.stringify(dashboard, null, 2)}\n`,
);
