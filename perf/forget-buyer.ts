/**
 * `npm run forget-buyer -- USER`: erases a buyer from the database, under a pseudonym that keeps the books whole.
 * Exit code 0: nothing of the buyer is left; 1: something is, in sales that are not over; 2: it could not be done.
 */
import { parseArgs } from 'node:util';
import { readConfig } from '../src/config.ts';
import { findBuyer, forgetBuyer, type Trace } from '../src/store/buyers.ts';
import { openPostgres } from '../src/store/postgres.ts';
import { EXIT, printTable, runCommand, runningService, UsageError } from './command.ts';

const HELP = `npm run forget-buyer -- USER [options]

Gives purchases, decisions and checkout attempts of a buyer to a random pseudonym. Sales that are not retired (a minute after
their end) are left alone: run it again then.

  --dry-run               only say what there is
  --database postgres://… this database, instead of DATABASE_URL or that of the service that runs on DATA_DIR`;

/** Whole tables are read. */
const ANSWER_MS = 30 * 60_000;

const sumOf = (traces: readonly Trace[], what: 'purchases' | 'decisions' | 'attempts') =>
  traces.reduce((sum, trace) => sum + trace[what], 0);

function databaseOf(given: string | undefined): string {
  const url = given ?? readConfig().databaseUrl ?? runningService()?.databaseUrl;
  if (url !== undefined) return url;
  throw new UsageError('no service runs on DATA_DIR; start one, set DATABASE_URL, or give --database.');
}

await runCommand('forget-buyer', async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'dry-run': { type: 'boolean' },
      database: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(HELP);
    return EXIT.ok;
  }
  const [userId, ...others] = positionals;
  if (userId === undefined || others.length > 0) throw new UsageError('name one user.');
  const postgres = await openPostgres({
    url: databaseOf(values.database),
    connectionsMax: 2,
    answerMs: ANSWER_MS,
    patient: false,
    onError: () => {},
  });
  try {
    const traces = await findBuyer(postgres, userId);
    printTable([
      ['sale', 'purchases', 'decisions', 'attempts'],
      ...traces.map((t) => [t.saleId ?? 'none named', t.purchases, t.decisions, t.attempts]),
      ['all', ...(['purchases', 'decisions', 'attempts'] as const).map((what) => sumOf(traces, what))],
    ]);
    if (values['dry-run'] || traces.length === 0) return EXIT.ok;
    const pseudonym = await forgetBuyer(postgres, userId, traces);
    console.log(`Erased, as ${pseudonym}.`);
    const live = traces.filter((t) => !t.retired && t.purchases + t.decisions > 0);
    if (live.length === 0) return EXIT.ok;
    console.log(
      `Not yet over, and left alone: ${live.map((t) => t.saleId).join(', ')}. Run this again then.`,
    );
    return EXIT.differs;
  } finally {
    await postgres.close();
  }
});
