/** The queries of the dashboard, and which metrics a query reads. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = (path: string) =>
  readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8');

export interface Query {
  /** The panel's title, or the rule's name. */
  readonly of: string;
  readonly expr: string;
}

interface Target {
  readonly expr: string;
}
export interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly pluginVersion?: string;
  readonly collapsed?: boolean;
  readonly targets?: readonly Target[];
  /** Of a row that is collapsed. */
  readonly panels?: readonly Panel[];
}
interface Dashboard {
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly name: string; readonly target: Target }[] };
}

export const dashboard = JSON.parse(file('monitoring/grafana/dashboards/flashsale.json')) as Dashboard;

/** Rows and all other panels, in their order. */
export const allPanels = (): Panel[] => dashboard.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);

/** As Prometheus gets them from Grafana: of all sales, over half a minute. What marks a moment is asked of five minutes. */
export function dashboardQueries(): Query[] {
  const targets = [
    ...allPanels().flatMap(({ title, targets = [] }) => targets.map((target) => ({ of: title, target }))),
    ...dashboard.annotations.list.map(({ name, target }) => ({
      of: name,
      target: { expr: `max_over_time((${target.expr})[5m:1s])` },
    })),
  ];
  return targets.map(({ of, target }) => ({ of, expr: fillIn(target.expr) }));
}

const fillIn = (expr: string) =>
  expr.replaceAll('$__rate_interval', '30s').replaceAll('$__range', '5m').replaceAll('$sale', '.+');

const GROUPING = /\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g;
const RANGE = /\[[^\]]*\]|\boffset\s+[\w$]+/g;
const WORDS = new Set(['and', 'or', 'unless', 'bool']);
const SELECTOR = /(?<![\w:"])([a-zA-Z_:][\w:]*)(\s*\{[^}]*\})?(?!\s*\(|[\w:])/g;

/** What a query selects, each with its labels: `up{job="flashsale"}`, … */
export function selectorsOf(expr: string): string[] {
  const bare = expr.replace(GROUPING, ' ').replace(RANGE, ' ');
  const found = [...bare.matchAll(SELECTOR)].filter(([, name]) => !WORDS.has(name as string));
  return [...new Set(found.map(([, name, labels = '']) => `${name}${labels}`))];
}

/** The names that docs/metrics.md documents, as Prometheus stores them. */
export function documentedNames(): string[] {
  const rows = [...file('docs/metrics.md').matchAll(/^\| (`[^|]*) \| (\w+) \|/gm)];
  return rows.flatMap(([, names, type]) =>
    [...(names as string).matchAll(/`([^`]+)`/g)]
      .flatMap(([, name]) => expand(name as string))
      .map((name) => (type === 'histogram' ? `${name}_bucket` : name)),
  );
}

/** `a_{b,c}_d` → `a_b_d`, `a_c_d`. */
function expand(name: string): string[] {
  const braces = /^(.*)\{(.*)\}(.*)$/.exec(name);
  if (!braces) return [name];
  const [, before, middle, after] = braces as unknown as [string, string, string, string];
  return middle.split(',').map((part) => `${before}${part}${after}`);
}
