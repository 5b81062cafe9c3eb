import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  allPanels,
  dashboard,
  dashboardQueries,
  documentedNames,
  selectorsOf,
} from '../../checks/monitoring/queries.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const allOf = (pattern: RegExp, text: string) =>
  [...text.matchAll(pattern)].map((match) => match[1] as string);

const alerts = read('monitoring/prometheus/rules/alerts.yml');
const names = allOf(/^ +- alert: (\w+)$/gm, alerts);
const runbook = read('docs/runbook.md');
const headings = allOf(/^## (.*)$/gm, runbook);
const anchorOf = (heading: string) => heading.toLowerCase().replaceAll(' ', '-');

test('the dashboard is what its script makes', () => {
  const dir = mkdtempSync(join(tmpdir(), 'flashsale-dashboard-'));
  try {
    cpSync(join(root, 'monitoring/grafana'), dir, { recursive: true });
    rmSync(join(dir, 'dashboards/flashsale.json'));
    const { status, stderr } = spawnSync(process.execPath, [join(dir, 'dashboard.mjs')], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    const made = readFileSync(join(dir, 'dashboards/flashsale.json'), 'utf8');
    assert.ok(
      made === read('monitoring/grafana/dashboards/flashsale.json'),
      'node monitoring/grafana/dashboard.mjs makes another one',
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('every panel says what is normal', () => {
  const others = allPanels().filter(({ type }) => type !== 'row');
  assert.ok(others.length > 40);
  assert.deepEqual(
    others.filter(({ description = '' }) => description.length < 20).map(({ title }) => title),
    [],
  );
  assert.equal(new Set(others.map(({ title }) => title)).size, others.length);
});

test('the night’s row is open and first; every other row is collapsed, with its panels in it', () => {
  const rows = dashboard.panels.filter(({ type }) => type === 'row');
  assert.equal(dashboard.panels[0], rows[0]);
  assert.deepEqual([rows[0]!.collapsed, rows[0]!.panels], [false, []]);
  assert.ok(rows.length > 5);
  for (const { title, collapsed, panels = [] } of rows.slice(1))
    assert.ok(collapsed === true && panels.length > 0, title);
  const after = dashboard.panels.slice(dashboard.panels.indexOf(rows[1]!));
  assert.deepEqual(after, rows.slice(1), 'an open row has its panels behind it');
});

/** Of Grafana's releases: the schema that each writes, from its package @grafana/schema. */
const SCHEMA_OF: Record<string, number> = { '12.0': 41, '12.4': 42 };

test('panels are made for the Grafana that compose.yaml runs', () => {
  const [, version = '', release = ''] =
    /image: grafana\/grafana:((\d+\.\d+)\.\d+)$/m.exec(read('compose.yaml')) ?? [];
  assert.equal(dashboard.schemaVersion, SCHEMA_OF[release]);
  for (const { type, title, pluginVersion } of allPanels())
    assert.equal(pluginVersion, type === 'row' ? undefined : version, title);
});

test('every alert has a severity, a heading in the runbook and a test', () => {
  assert.ok(names.length > 25);
  const tests =
    read('monitoring/prometheus/tests/alerts.yml') + read('monitoring/prometheus/tests/hours.yml');
  const tried = allOf(/alertname[=~]+"([^"]+)"/g, tests).map((pattern) => new RegExp(`^(${pattern})$`));
  for (const name of names) {
    const [rule = ''] = new RegExp(`- alert: ${name}\n[^]*?(?=\n\n|$)`).exec(alerts) ?? [];
    assert.match(rule, /severity: (critical|warning)/, name);
    assert.match(rule, new RegExp(`runbook: docs/runbook.md#${name.toLowerCase()}$`, 'm'), name);
    assert.ok(headings.includes(name), `${name} is not in the runbook`);
    assert.ok(
      tried.some((pattern) => pattern.test(name)),
      `${name} has no test`,
    );
  }
});

test('what the runbook and the dashboard refer to exists', () => {
  const anchors = headings.map(anchorOf);
  for (const anchor of allOf(/\]\(#([^)]+)\)/g, runbook)) assert.ok(anchors.includes(anchor), `#${anchor}`);
  for (const { title, description = '' } of allPanels())
    for (const name of description.match(/\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b/g) ?? [])
      assert.ok(names.includes(name), `"${title}" refers to ${name}`);
});

test('every metric of ours that the dashboard reads is documented', () => {
  const documented = documentedNames().map((name) => name.replace(/_bucket$/, ''));
  const read = dashboardQueries().flatMap(({ expr }) => selectorsOf(expr));
  const ours = read.map((selector) => /^[\w:]+/.exec(selector)?.[0] as string);
  const unknown = ours.filter(
    (name) => name.startsWith('flashsale_') && !documented.includes(name.replace(/_(bucket|sum|count)$/, '')),
  );
  assert.deepEqual(unknown, []);
});

test('selectors are found in a query', () => {
  const query =
    'sum by (handler) (rate(a_total{code=~"5.."}[1m])) / on (x) (b_total offset 5m > 0) unless c:d{e="f"} and 1e6';
  assert.deepEqual(selectorsOf(query), ['a_total{code=~"5.."}', 'b_total', 'c:d{e="f"}']);
});
