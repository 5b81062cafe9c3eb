// Attacks on a service of its own: npm run harden -- --malformed 100000 --slow 1000 --seed 7
import { parseArgs } from 'node:util';
import { harden } from './campaign.ts';

const { values } = parseArgs({
  options: {
    malformed: { type: 'string', default: '0' },
    slow: { type: 'string', default: '0' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
  },
});
const asked = { malformed: Number(values.malformed), slow: Number(values.slow) };
// Without options: a little of both.
const { malformed, slow } = asked.malformed + asked.slow > 0 ? asked : { malformed: 10_000, slow: 200 };

const say = (line: string) => void process.stdout.write(`${line}\n`);
const violations = await harden({ malformed, slow, seed: Number(values.seed), say });
for (const violation of violations) say(`VIOLATION: ${violation}`);
say(violations.length === 0 ? 'every promise held' : `${violations.length} violations`);
process.exitCode = violations.length === 0 ? 0 : 1;
