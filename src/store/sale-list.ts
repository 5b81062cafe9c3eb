import { type LiveSale, SALE_ID, type SaleState } from '../sale.ts';
import { type Postgres, statement } from './postgres.ts';
import { factsOf, type SaleRow } from './sale-row.ts';

const sql = {
  find: statement('find_sale'),
  list: statement('list_sales'),
  listCancelled: statement('list_cancelled_sales'),
  listCurrent: statement('list_current_sales'),
};

export type SaleSummary = Omit<LiveSale, 'hourly' | 'epoch'> & {
  /** What is committed. */
  readonly sold: number;
  /** What of it is held for payments; where the sale has a payment window. */
  readonly held?: number;
};

export interface SalePage {
  readonly state?: SaleState;
  /** The last sale of the page before. */
  readonly after?: string;
  readonly limit: number;
}

interface Row extends SaleRow {
  readonly sold: number;
  readonly held?: number | null;
}

const summaryOf = (row: Row): SaleSummary => ({
  ...factsOf(row),
  sold: row.sold,
  ...(typeof row.held === 'number' && { held: row.held }),
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
