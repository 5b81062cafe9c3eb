/** `npm run faults`: the fault campaign. Exit code 0: no violation, and every planted bug caught; 1: not so. */
import { parseArgs } from 'node:util';
import { runCampaign } from './campaign.ts';
import { FAULTS } from './faults.ts';
import { runPlanted } from './planted.ts';
import { tableOf } from './report.ts';
import { writeScoreboard } from './scoreboard.ts';

const HELP = `npm run faults -- [options]

Kills, cuts and empties things under load, and checks every answer afterwards.

  --fault worker-kill      this fault; may be given several times; all of them if not given
  --list                   names the faults
  --mix                    also runs in which several faults come together
  --runs 1                 runs of each fault
  --seed 7                 of the first run; a run is repeated by its fault and its seed
  --items 700              items of each run's sale
  --clients 30             buyers at one time
  --full                   the outage of Postgres lasts 60 s, not 5
  --planted                plants bugs, which the campaign must catch; alone, it runs nothing else
  --scoreboard             runs both, and writes docs/scoreboard.md`;

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
    help: { type: 'boolean', short: 'h', default: false },
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

if (values.help) {
  say(HELP);
} else if (values.list) {
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
  const isSound = results.every(({ violations }) => violations.length === 0);
  process.exitCode = isSound && planted.every(({ caught }) => caught) ? 0 : 1;
}
