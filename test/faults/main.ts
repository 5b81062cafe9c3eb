// The fault campaign: npm run faults -- --fault worker-kill --runs 20 --seed 7
import { parseArgs } from 'node:util';
import { runCampaign } from './campaign.ts';
import { FAULTS } from './faults.ts';
import { runPlanted } from './planted.ts';
import { tableOf } from './report.ts';
import { writeScoreboard } from './scoreboard.ts';

const { values } = parseArgs({
  options: {
    fault: { type: 'string', multiple: true },
    mix: { type: 'boolean', default: false },
    runs: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    items: { type: 'string', default: '700' },
    clients: { type: 'string', default: '30' },
    full: { type: 'boolean', default: false },
    planted: { type: 'boolean', default: false },
    scoreboard: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

const say = (line: string) => void process.stdout.write(`${line}\n`);
const seed = Number(values.seed);
const faults = values.fault ?? (values.mix ? [] : ['all']);
const options = {
  faults: [...faults, ...(values.mix ? ['mix'] : [])],
  runs: Number(values.runs),
  seed,
  items: Number(values.items),
  clients: Number(values.clients),
  full: values.full,
  say,
};

if (values.list) {
  say(FAULTS.map(({ name }) => name).join('\n'));
} else if (values.planted && !values.scoreboard) {
  const planted = await runPlanted({ ...options, names: values.fault });
  process.exitCode = planted.every(({ caught }) => caught) ? 0 : 1;
} else {
  say(`seed ${seed}: a run is repeated by --fault <its name> --seed <its seed> --runs 1`);
  const results = await runCampaign(options);
  say(`\n${tableOf(results)}`);
  const planted = values.planted ? await runPlanted({ ...options, names: undefined }) : [];
  if (values.scoreboard) say(`written: ${writeScoreboard(results, planted, options)}`);
  process.exitCode = results.some(({ violations }) => violations.length > 0) ? 1 : 0;
}
