// Forked by the tests under a limit of file size, as a full disk would set one: records attempts, ten a turn, until
// the spool refuses one, and once more. argv: spool directory. Says how many were recorded, and what the errors were.
import { openAttemptLog } from '../../../src/store/attempts/spool.ts';

const log = openAttemptLog(process.argv[2]!, 0, 'run1');
const record = (n: number) =>
  log.record({
    atMs: Date.now(),
    saleId: 'S-0000000000',
    userId: `user${n}`,
    itemId: 'item',
    outcome: 'accepted',
    code: undefined,
    requestId: `request-${n}`,
  });
let recorded = 0;
const errors: string[] = [];
while (errors.length < 2) {
  const turn = Array.from({ length: 10 }, (_, i) => record(recorded + i));
  const failed = (await Promise.allSettled(turn)).filter((result) => result.status === 'rejected');
  if (failed.length === 0) recorded += turn.length;
  else errors.push(`${failed.length} ${failed[0]!.reason.name}`);
}
process.stdout.write(JSON.stringify({ recorded, errors }));
process.exit(0);
