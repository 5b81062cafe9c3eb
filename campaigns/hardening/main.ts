/** `npm run harden`: attacks on a service of its own. Exit code 0: every promise held; 1: one did not; 2: it cannot be run so. */
import { parseArgs } from 'node:util';
import { EXIT, readCount, runCommand } from '../../perf/command.ts';
import { harden } from './campaign.ts';
import { attackDoor } from './door.ts';
import { attackIntake } from './intake.ts';

const HELP = `npm run harden -- [options]

Attacks a service of its own with malformed requests and slow clients, while
good customers buy: they must not notice; the door of another one; and the
admin API of a third.

  --malformed 10000        malformed requests over raw TCP
  --slow 200               slow clients
  --door 10000             tries to buy by forged tokens, and to pass the limit of an
                           address by headers, at a service that has both
  --bodies 10000           bodies of new sales that can only be refused: random bytes,
                           JSON and CSV
  --seed 7                 of the random requests; a run is repeated by its seed

With one of the first four, only that.`;

await runCommand('harden', async () => {
  const { values } = parseArgs({
    options: {
      malformed: { type: 'string' },
      slow: { type: 'string' },
      door: { type: 'string' },
      bodies: { type: 'string' },
      seed: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  if (values.help) {
    say(HELP);
    return EXIT.ok;
  }
  // With one of them, only that; without options, a little of each.
  const isAll = [values.malformed, values.slow, values.door, values.bodies].every(
    (value) => value === undefined,
  );
  const malformed = readCount('malformed', values.malformed, isAll ? 10_000 : 0);
  const slow = readCount('slow', values.slow, isAll ? 200 : 0);
  const tries = readCount('door', values.door, isAll ? 10_000 : 0);
  const bodies = readCount('bodies', values.bodies, isAll ? 10_000 : 0);
  const seed = readCount('seed', values.seed, 1 + (Date.now() % 100_000));
  const violations = [
    ...(malformed + slow > 0 ? await harden({ malformed, slow, seed, say }) : []),
    ...(tries > 0 ? await attackDoor({ tries, seed, say }) : []),
    ...(bodies > 0 ? await attackIntake({ bodies, seed, say }) : []),
  ];
  for (const violation of violations) say(`VIOLATION: ${violation}`);
  say(violations.length === 0 ? 'every promise held' : `${violations.length} violations`);
  return violations.length === 0 ? EXIT.ok : EXIT.differs;
});
