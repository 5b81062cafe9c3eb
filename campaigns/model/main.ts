/** `npm run model`: the long campaign. Exit code 0: no counterexample; 1: there is one; 2: it cannot be run so. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { EXIT, readCount, runCommand } from '../../perf/command.ts';
import { runCampaign } from './campaign.ts';
import { openModelStores } from './stores.ts';

const PROGRESS_RUNS = 500;
/** Of a campaign, so many runs have real restarts: they take a hundred times as long. */
const REAL_SHARE = 1 / 200;

const HELP = `npm run model -- [options]

Random sequences of store commands and faults, against a model in plain code.

  --runs 10000             sequences
  --seed 7                 of the first; a campaign is repeated by its seed
  --path 1:2:3             repeats one run, with the seed and path of its report
  --real                   restarts of Redis are real ones: a hundred times as slow`;

await runCommand('model', async () => {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string' },
      seed: { type: 'string' },
      path: { type: 'string' },
      real: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return EXIT.ok;
  }
  const { path, real } = values;
  const seed = readCount('seed', values.seed, randomInt(1, 2 ** 31));
  const runs = path === undefined ? readCount('runs', values.runs, 10_000) : 1;
  return search({ runs, seed, path, real });
});

interface Search {
  readonly runs: number;
  readonly seed: number;
  readonly path: string | undefined;
  readonly real: boolean;
}

async function search({ runs, seed, path, real }: Search): Promise<number> {
  const begunMs = Date.now();
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const seconds = () => `${Math.round((Date.now() - begunMs) / 1000)} s`;
  const stores = await openModelStores();
  try {
    say(`model: ${runs} runs, seed ${seed}`);
    const onRun = (done: number) => {
      if (done % PROGRESS_RUNS === 0) say(`${done} runs, ${seconds()}`);
    };
    const report = await runCampaign(stores, { runs, seed, path, real, onRun });
    const realRuns = real || path !== undefined ? 0 : Math.ceil(runs * REAL_SHARE);
    const inReal =
      report.failure === undefined && realRuns > 0
        ? await runCampaign(stores, { runs: realRuns, seed, real: true })
        : undefined;
    const failure = report.failure ?? inReal?.failure;
    say(failure ?? `no counterexample in ${report.runs} runs and ${inReal?.runs ?? 0} with real restarts`);
    say(`seed ${seed}, ${seconds()}`);
    return failure === undefined ? EXIT.ok : EXIT.differs;
  } finally {
    await stores.close();
  }
}
