import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { drawResults, readNewest } from '../../perf/latest.ts';
import { ratioOf } from '../../perf/ratio.ts';
import { ratiosToBare } from '../../perf/results.ts';

const { results } = readNewest();

test('a ratio is the median of the quotients within each round, not the quotient of medians', () => {
  const ratio = ratioOf([10, 20, 90], [10, 40, 30], (rate) => rate);
  assert.deepEqual(ratio, { median: 1, range: [0.5, 3] });
  assert.deepEqual(
    ratioOf([1, 2, 3], [1], (rate) => rate).range,
    [1, 1],
    'a round without its other half is none',
  );
});

test('latest.svg is the picture of the newest results', () => {
  const svg = readFileSync(new URL('../../../perf/results/latest.svg', import.meta.url), 'utf8');
  assert.equal(svg, drawResults(results), 'npm run perf -- chart draws it again');
});

test('each bar is as long as the figure beside it says, and that is the kept ratio', () => {
  const bars = [
    ...drawResults(results).matchAll(/<rect [^>]*width="([\d.]+)"[\s\S]*?<tspan[^>]*>([\d.]+)</g),
  ].map(([, width, figure]) => ({ width: Number(width), figure: Number(figure) }));
  const [bare] = bars;
  assert.equal(bars.length, results.cases.length);
  assert.equal(bare!.figure, 1);
  for (const [i, { width, figure }] of bars.entries()) {
    assert.ok(Math.abs(width / bare!.width - figure) < 0.006, `${width / bare!.width} beside ${figure}`);
    assert.equal(figure, Number(results.cases[i]!.ratio.toFixed(2)));
    assert.equal(figure, Number(ratiosToBare(results.cases)[i]!.median.toFixed(2)));
  }
});
