/**
 * `npm run audit`: compares the books of a service, running or at rest, and names what differs.
 * Exit code 0: they agree; 1: they differ; 2: they could not be compared.
 */
import { parseArgs } from 'node:util';
import { auditSale, CHECKS, type Difference } from '../src/store/audit/audit.ts';
import { readLiveSales } from '../src/store/sales.ts';
import {
  EXIT,
  openStores,
  printTable,
  runCommand,
  runningService,
  type Stores,
  UsageError,
} from './command.ts';

const HELP = `npm run audit -- [options]

Compares the books (purchases, decisions, outbox, items, limits) of every sale that is not retired.

  --sale S-…              this sale too, or a retired one; may be given more than once
  --redis redis://…       these stores, instead of those of the service that runs on DATA_DIR
  --database postgres://…`;

/** Differences that are named; their number is always printed. */
const NAMED_MAX = 200;

function readOptions() {
  const { values } = parseArgs({
    options: {
      sale: { type: 'string', multiple: true },
      redis: { type: 'string' },
      database: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  return values;
}

function storesOf({ redis, database }: ReturnType<typeof readOptions>) {
  if (redis !== undefined && database !== undefined) return { redisUrl: redis, databaseUrl: database };
  if (redis !== undefined || database !== undefined)
    throw new UsageError('--redis and --database belong together.');
  const service = runningService();
  if (service) return service;
  throw new UsageError('no service runs on DATA_DIR; start one, or give --redis and --database.');
}

async function auditAll({ redis, postgres }: Stores, given: readonly string[]): Promise<Difference[]> {
  const live = (await readLiveSales(postgres)).map((sale) => sale.id);
  const found: Difference[] = [];
  const rows: string[][] = [['sale', 'check', 'differences']];
  for (const saleId of new Set([...live, ...given])) {
    const differences = await auditSale(redis, postgres, saleId);
    for (const check of CHECKS) {
      const count = differences.filter((difference) => difference.check === check).length;
      rows.push([saleId, check, count === 0 ? 'ok' : String(count)]);
    }
    found.push(...differences);
  }
  printTable(rows);
  return found;
}

await runCommand('audit', async () => {
  const options = readOptions();
  if (options.help) {
    console.log(HELP);
    return EXIT.ok;
  }
  const stores = await openStores(storesOf(options));
  try {
    const found = await auditAll(stores, options.sale ?? []);
    if (found.length === 0) return EXIT.ok;
    console.log(`\nThe books differ (${found.length}):`);
    for (const { saleId, check, subject, problem } of found.slice(0, NAMED_MAX)) {
      console.log(`  ${saleId} ${check}: ${subject} ${problem}.`);
    }
    if (found.length > NAMED_MAX) console.log(`  … and ${found.length - NAMED_MAX} more`);
    return EXIT.differs;
  } finally {
    await stores.close();
  }
});
