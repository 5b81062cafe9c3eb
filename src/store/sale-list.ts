import { SALE_ID, type SaleState } from '../sale.ts';
import { type Postgres, statement } from './postgres.ts';
import { namesOf } from './sales.ts';

const sql = {
  find: statement('find_sale'),
  list: statement('list_sales'),
  listCancelled: statement('list_cancelled_sales'),
  listCurrent: statement('list_current_sales'),
};

export interface SaleSummary {
  readonly id: string;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly total: number;
  readonly userLimit: number;
  readonly paused?: boolean;
  /** What is committed. */
  readonly sold: number;
  readonly currency?: string;
  readonly name?: string;
}

export interface SalePage {
  readonly state?: SaleState;
  /** The last sale of the page before. */
  readonly after?: string;
  readonly limit: number;
}

interface Row extends Record<string, unknown> {
  readonly id: string;
  readonly starts_ms: number;
  readonly ends_ms: number;
  readonly total: number;
  readonly user_limit: number;
  readonly paused: boolean;
  readonly sold: number;
  readonly currency: string | null;
  readonly name: string | null;
}

const summaryOf = (row: Row): SaleSummary => ({
  id: row.id,
  startsAtMs: row.starts_ms,
  endsAtMs: row.ends_ms,
  total: row.total,
  userLimit: row.user_limit,
  paused: row.paused,
  sold: row.sold,
  ...namesOf(row),
});

/** One sale; undefined when there is none of that id. Throws as `Postgres.query` does. */
export async function findSale(postgres: Postgres, id: string): Promise<SaleSummary | undefined> {
  if (!SALE_ID.test(id)) return undefined;
  const [row] = await postgres.query<Row>(sql.find, [id]);
  return row && summaryOf(row);
}

/** A page of sales, newest first. What it costs does not grow with the sales that are over. Throws as `Postgres.query` does. */
export async function listSales(
  postgres: Postgres,
  { state, after, limit }: SalePage,
): Promise<SaleSummary[]> {
  const page = [after ?? null, limit];
  const rows =
    state === 'cancelled'
      ? postgres.query<Row>(sql.listCancelled, page)
      : state === undefined || state === 'ended'
        ? postgres.query<Row>(sql.list, [state === 'ended', ...page])
        : postgres.query<Row>(sql.listCurrent, [state, ...page]);
  return (await rows).map(summaryOf);
}
