import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median } from '../../perf/ratio.ts';
import { read, rowsOf } from './texts.ts';

/** The measurements that a page quotes are those of the run that it names. */

interface Sample {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuUs: Readonly<Record<string, number>>;
}

interface Case {
  readonly name: string;
  readonly samples: readonly Sample[];
  readonly ratio: number;
}

/** The run that a page names. */
function casesOf(page: string): readonly Case[] {
  const [, run] = /perf\/results\/(\S+\.json)\)/.exec(read(page)) ?? [];
  assert.ok(run, `${page} names no run`);
  return (JSON.parse(read(`perf/results/${run}`)) as { cases: readonly Case[] }).cases;
}

/** The cells of the row of each case of a page's run; the first says how the ratio is rounded. */
const figuresOf = (page: string) =>
  casesOf(page).flatMap((each) =>
    rowsOf(page, (first) => first.startsWith(each.name)).map(([, , ...cells]) => ({
      ...each,
      cells: cells.map((cell) => cell.replaceAll('*', '')),
    })),
  );

for (const page of ['README.md', 'docs/performance.md'])
  test(`the ratios of ${page} are those of the run that it names`, () => {
    const figures = figuresOf(page);
    assert.ok(figures.length >= 3, `only ${figures.length} rows were found`);
    for (const { name, ratio, cells } of figures) {
      const [, decimals = ''] = /^\d\.(\d+)$/.exec(cells[0] ?? '') ?? [];
      assert.equal(cells[0], ratio.toFixed(decimals.length), name);
    }
  });

test('the ranges, latencies and CPU of performance.md are those of the run', () => {
  const figures = figuresOf('docs/performance.md');
  const [bare] = figures;
  const ms = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
  for (const { name, samples, cells } of figures) {
    const ratios = samples.map((sample, i) => sample.perSecond / (bare?.samples[i]?.perSecond ?? Number.NaN));
    const range = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`;
    const of = (figure: (sample: Sample) => number) => median(samples.map(figure));
    const cpu = of(({ cpuUs }) => Object.values(cpuUs).reduce((sum, us) => sum + us, 0));
    assert.deepEqual(
      cells.slice(1, 5),
      [
        name === bare?.name ? '–' : range,
        ms(of(({ p50Ms }) => p50Ms)),
        ms(of(({ p99Ms }) => p99Ms)),
        `${cpu.toFixed(0)} µs`,
      ],
      name,
    );
  }
});
