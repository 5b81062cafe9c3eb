/** `npm run harden`: attacks on a service of its own. Exit code 0: every promise held; 1: one did not; 2: it cannot be run so. */
import { parseArgs } from 'node:util';
import { EXIT, readCount, runCommand } from '../../perf/command.ts';
import { harden } from './campaign.ts';

const HELP = `npm run harden -- [options]

Attacks a service of its own with malformed requests and slow clients, while
good customers buy: they must not notice.

  --malformed 10000        malformed requests over raw TCP
  --slow 200               slow clients
  --seed 7                 of the random requests; a run is repeated by its seed

With one of the first two, only that.`;

await runCommand('harden', async () => {
  const { values } = parseArgs({
    options: {
      malformed: { type: 'string' },
      slow: { type: 'string' },
      seed: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  if (values.help) {
    say(HELP);
    return EXIT.ok;
  }
  // With one of them, only that; without options, a little of both.
  const isBoth = values.malformed === undefined && values.slow === undefined;
  const violations = await harden({
    malformed: readCount('malformed', values.malformed, isBoth ? 10_000 : 0),
    slow: readCount('slow', values.slow, isBoth ? 200 : 0),
    seed: readCount('seed', values.seed, 1 + (Date.now() % 100_000)),
    say,
  });
  for (const violation of violations) say(`VIOLATION: ${violation}`);
  say(violations.length === 0 ? 'every promise held' : `${violations.length} violations`);
  return violations.length === 0 ? EXIT.ok : EXIT.differs;
});
