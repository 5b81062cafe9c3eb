/** The books from three sides: the clients' answers, Postgres, Redis. */
import { auditSale } from '../src/store/audit/audit.ts';
import type { Postgres } from '../src/store/postgres.ts';
import { EXIT, openStores, type Stores } from './command.ts';
import type { RecordData } from './record.ts';
import { findSale, type Sale } from './shop.ts';
import type { Target } from './target.ts';

const purchasesOfSale = {
  name: 'perf_purchases',
  text: 'select item_id, code, user_id from purchases where sale_id = $1',
};

/** Differences that are named; their number is always printed. */
const NAMED_MAX = 100;

export interface BooksOptions {
  readonly stores: Stores;
  readonly record: RecordData;
  /** Of the users of this run; purchases of others are ignored. */
  readonly prefix: string;
  /** The sale as the service shows it now. */
  readonly sale: Sale;
  /** Whether every item must be sold. */
  readonly soldOut: boolean;
}

/** One sentence for each thing that does not balance. */
export async function compareBooks({
  stores,
  record,
  prefix,
  sale,
  soldOut,
}: BooksOptions): Promise<string[]> {
  const differences = [
    ...record.contradictions,
    ...(await againstPostgres(stores.postgres, record, prefix, sale.id)),
  ];
  const { limit } = await readLimit(stores.postgres, sale.id);
  differences.push(...aboveLimit(record, limit));
  for (const { check, subject, problem } of await auditSale(stores.redis, stores.postgres, sale.id)) {
    differences.push(`${check}: ${subject} ${problem}`);
  }
  if (soldOut && sale.items_sold !== sale.total_items) {
    differences.push(`items_sold is ${sale.items_sold}, and the sale has ${sale.total_items} items`);
  }
  return differences;
}

export interface SettleOptions extends Pick<BooksOptions, 'record' | 'prefix' | 'soldOut'> {
  readonly target: Pick<Target, 'url' | 'redisUrl' | 'databaseUrl'>;
  readonly saleId: string;
}

/** Compares the books after a run, prints the result, and returns the exit code. */
export async function settleBooks({
  target,
  saleId,
  record,
  prefix,
  soldOut,
}: SettleOptions): Promise<number> {
  const stores = await openStores(target);
  const sale = await findSale(target.url, saleId);
  const differences = await compareBooks({ stores, record, prefix, sale, soldOut }).finally(stores.close);
  const unknown = [...record.told.values()].filter((told) => told.bought === undefined).length;
  console.log(
    `The clients were told of ${record.sold} items sold, and ${unknown} outcomes are open to them;`,
  );
  console.log(`items_sold is ${sale.items_sold} of ${sale.total_items}.`);
  if (differences.length === 0) {
    console.log('The books agree: clients, Redis and Postgres.');
    return EXIT.ok;
  }
  console.log(`The books differ (${differences.length}):`);
  for (const difference of differences.slice(0, NAMED_MAX)) console.log(`  ${difference}.`);
  return EXIT.differs;
}

async function readLimit(postgres: Postgres, saleId: string): Promise<{ limit: number }> {
  const text = 'select user_limit as limit from sales where id = $1';
  const [row] = await postgres.query<{ limit: number }>({ name: 'perf_limit', text }, [saleId]);
  return row ?? { limit: 0 };
}

interface Purchase extends Record<string, unknown> {
  readonly item_id: string;
  readonly code: string;
  readonly user_id: string;
}

/** Told ⊆ Postgres ⊆ told ∪ unknown. Postgres holds a unit once, so what two were told of one unit is not all in it. */
async function againstPostgres(
  postgres: Postgres,
  record: RecordData,
  prefix: string,
  saleId: string,
): Promise<string[]> {
  const rows = await postgres.query<Purchase>(purchasesOfSale, [saleId]);
  const placeOf = (item: string, code: string) => `${item} ${code}`;
  const held = new Map(rows.map((row) => [placeOf(row.item_id, row.code), row.user_id]));
  const told = new Set<string>();
  const differences: string[] = [];
  for (const { code, user, bought } of record.told.values()) {
    for (const item of bought ?? []) {
      told.add(placeOf(item, code));
      const holder = held.get(placeOf(item, code));
      if (holder === user) continue;
      const found = holder === undefined ? 'does not have it' : `says ${holder}`;
      differences.push(`${item} was confirmed to ${user} with ${code}, and Postgres ${found}`);
    }
  }
  for (const { item_id: item, code, user_id: user } of rows) {
    if (!user.startsWith(prefix) || told.has(placeOf(item, code))) continue;
    const answer = record.told.get(code);
    if (answer && answer.bought === undefined) continue;
    differences.push(`${item} is in Postgres for ${user} with ${code}, and nobody was told so`);
  }
  return differences;
}

function aboveLimit(record: RecordData, limit: number): string[] {
  const held = new Map<string, number>();
  for (const { user, bought } of record.told.values())
    held.set(user, (held.get(user) ?? 0) + (bought?.length ?? 0));
  return [...held]
    .filter(([, count]) => count > limit)
    .map(([user, count]) => `${user} was sold ${count} items, and the limit is ${limit}`);
}
