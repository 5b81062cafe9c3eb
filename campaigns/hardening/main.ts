/** `npm run harden`: attacks on a service of its own. Exit code 0: every promise held; 1: one did not. */
import { parseArgs } from 'node:util';
import { harden } from './campaign.ts';

const HELP = `npm run harden -- [options]

Attacks a service of its own with malformed requests and slow clients, while
good customers buy: they must not notice.

  --malformed 10000        malformed requests over raw TCP
  --slow 200               slow clients
  --seed 7                 of the random requests; a run is repeated by its seed

With one of the first two, only that.`;

const { values } = parseArgs({
  options: {
    malformed: { type: 'string', default: '0' },
    slow: { type: 'string', default: '0' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit();
}
const asked = { malformed: Number(values.malformed), slow: Number(values.slow) };
// Without options: a little of both.
const { malformed, slow } = asked.malformed + asked.slow > 0 ? asked : { malformed: 10_000, slow: 200 };

const say = (line: string) => void process.stdout.write(`${line}\n`);
const violations = await harden({ malformed, slow, seed: Number(values.seed), say });
for (const violation of violations) say(`VIOLATION: ${violation}`);
say(violations.length === 0 ? 'every promise held' : `${violations.length} violations`);
process.exitCode = violations.length === 0 ? 0 : 1;
