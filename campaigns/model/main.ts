/**
 * The long campaign: `node dist/campaigns/model/main.js --runs 10000 --seed 7`; `--path` as a report gives it repeats its
 * run, `--real` makes restarts of Redis real ones. Exit code 1 at a counterexample.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { runCampaign } from './campaign.ts';
import { openModelStores } from './stores.ts';

const PROGRESS_RUNS = 500;
/** Of a campaign, so many runs have real restarts: they take a hundred times as long. */
const REAL_SHARE = 1 / 200;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string' },
    path: { type: 'string' },
    real: { type: 'boolean', default: false },
  },
});
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
const runs = values.path === undefined ? Number(values.runs) : 1;
const begunMs = Date.now();
const say = (line: string) => process.stdout.write(`${line}\n`);
const seconds = () => `${Math.round((Date.now() - begunMs) / 1000)} s`;

const stores = await openModelStores();
try {
  say(`model: ${runs} runs, seed ${seed}`);
  const onRun = (done: number) => {
    if (done % PROGRESS_RUNS === 0) say(`${done} runs, ${seconds()}`);
  };
  const report = await runCampaign(stores, { runs, seed, path: values.path, real: values.real, onRun });
  const realRuns = values.real || values.path !== undefined ? 0 : Math.ceil(runs * REAL_SHARE);
  const real =
    report.failure === undefined && realRuns > 0
      ? await runCampaign(stores, { runs: realRuns, seed, real: true })
      : undefined;
  const failure = report.failure ?? real?.failure;
  say(failure ?? `no counterexample in ${report.runs} runs and ${real?.runs ?? 0} with real restarts`);
  say(`seed ${seed}, ${seconds()}`);
  process.exitCode = failure === undefined ? 0 : 1;
} finally {
  await stores.close();
}
