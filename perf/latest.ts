/** The results that are kept: perf/results/<date>.json of each run of the suite, and latest.svg, the picture of the newest. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { drawBars } from './chart.ts';
import { type Results, ratiosToBare } from './results.ts';

const DIR = new URL('../../perf/results/', import.meta.url);
const SVG = new URL('latest.svg', DIR);

/** Writes a run's results and their picture. */
export function writeResults(results: Results): void {
  mkdirSync(DIR, { recursive: true });
  const json = new URL(`${results.machine.date.slice(0, 19).replaceAll(':', '')}.json`, DIR);
  writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(SVG, drawResults(results));
  console.log(`\nWritten: ${fileURLToPath(json)} and latest.svg`);
}

/** `npm run perf -- chart`: draws the newest results again. */
export function redraw(): void {
  const { name, results } = readNewest();
  writeFileSync(SVG, drawResults(results));
  console.log(`Drawn: ${fileURLToPath(SVG)} of ${name}`);
}

/** The newest results that are kept, and the name of their file. */
export function readNewest(): { name: string; results: Results } {
  const [name] = readdirSync(DIR)
    .filter((each) => each.endsWith('.json'))
    .sort()
    .reverse();
  if (name === undefined) throw new Error(`there are no results in ${fileURLToPath(DIR)}`);
  return { name, results: JSON.parse(readFileSync(new URL(name, DIR), 'utf8')) };
}

/** A bar for each case, as long as the ratio that stands beside it. */
export function drawResults({ cases, machine, options }: Results): string {
  const bars = ratiosToBare(cases).map(({ name, median, range }) => {
    const [least, most] = range.map((ratio) => ratio.toFixed(2));
    const note = least === most ? '' : `${least}–${most}`;
    return { label: name, value: median, range, figure: median.toFixed(2), note };
  });
  const { date, commit, cores, cpu, versions } = machine;
  const small = `${date.slice(0, 10)}, ${commit}, ${cores} × ${cpu}, Node ${versions.node}, load generator on the same machine; median and range of ${options.rounds} rounds`;
  return drawBars('Requests per second ÷ those of a bare node:http cluster in the same round', small, bars);
}
