/** `npm run faults`: the fault campaign. Exit code 0: no violation, and every planted bug caught; 1: not so; 2: it cannot be run so. */
import { parseArgs } from 'node:util';
import { EXIT, readCount, runCommand } from '../../perf/command.ts';
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
  --runs 1                 runs of each fault; with --full, as many as the targets of the scoreboard ask for
  --seed 7                 of the first run; a run is repeated by its fault and its seed
  --items 700              items of each run's sale; with --full, 1,500
  --clients 30             buyers at one time
  --lanes 1                faults that run side by side; a run takes some 0.8 of a core
  --full                   all that the targets ask for, in two hours; the outage of Postgres lasts 60 s, not 5
  --planted                plants bugs, which the campaign must catch; alone, it runs nothing else
  --scoreboard             plants bugs, runs faults, and writes docs/scoreboard.md

A campaign that is interrupted ends after the run under way, and reports what has run.`;

const say = (line: string) => void process.stdout.write(`${line}\n`);

function readOptions() {
  const { values } = parseArgs({
    options: {
      fault: { type: 'string', multiple: true },
      mix: { type: 'boolean', default: false },
      runs: { type: 'string' },
      seed: { type: 'string' },
      items: { type: 'string' },
      clients: { type: 'string' },
      lanes: { type: 'string' },
      full: { type: 'boolean', default: false },
      planted: { type: 'boolean', default: false },
      scoreboard: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { full, mix } = values;
  const named = values.fault ?? (mix ? [] : ['all']);
  return {
    ...values,
    faults: [...named, ...(mix ? ['mix'] : [])],
    runs: full && values.runs === undefined ? undefined : readCount('runs', values.runs, 1),
    seed: readCount('seed', values.seed, 1 + (Date.now() % 100_000)),
    items: readCount('items', values.items, full ? 1_500 : 700),
    clients: readCount('clients', values.clients, 30),
    lanes: readCount('lanes', values.lanes, 1),
    say,
  };
}

async function plantAndRun(options: ReturnType<typeof readOptions>): Promise<number> {
  const { planted, scoreboard, seed } = options;
  const hunted = planted || scoreboard;
  const names = planted && !scoreboard ? options.fault : undefined;
  const bugs = hunted ? await runPlanted({ ...options, full: false, names }) : [];
  const isCaught = bugs.every(({ caught }) => caught);
  if (planted && !scoreboard) return isCaught ? EXIT.ok : EXIT.differs;
  say(`seed ${seed}: a run is repeated by --fault <its name> --seed <its seed> --runs 1`);
  const results = await runCampaign(options);
  say(`\n${tableOf(results)}`);
  if (scoreboard) say(`written: ${writeScoreboard(results, bugs, options)}`);
  const isSound = results.every(({ violations }) => violations.length === 0);
  return isSound && isCaught ? EXIT.ok : EXIT.differs;
}

await runCommand('faults', async () => {
  const options = readOptions();
  if (options.help) say(HELP);
  else if (options.list) say(FAULTS.map(({ name }) => name).join('\n'));
  else return plantAndRun(options);
  return EXIT.ok;
});
