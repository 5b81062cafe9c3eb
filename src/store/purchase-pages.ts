import { type Decision, isBought } from './decision.ts';
import { type Postgres, type Statement, statement } from './postgres.ts';
import { type CommittedDecision, findDecisions } from './receipts.ts';

const sql = {
  ofSale: statement('sale_codes'),
  ofUser: statement('user_codes'),
  ofItem: statement('item_codes'),
};

export interface PurchasesFilter {
  readonly saleId: string;
  readonly userId?: string;
  /** The purchase of this code alone. */
  readonly code?: string;
  /** Only purchases that bought this item. */
  readonly itemId?: string;
  /** Only codes behind this one. */
  readonly after?: string;
}

/**
 * Up to `limit` committed purchases of a sale that bought something, in the order of their codes: that order costs a purchase
 * no index of its own, and is none in time. Throws as `Postgres.query` does.
 */
export async function listPurchases(
  postgres: Postgres,
  filter: PurchasesFilter,
  limit: number,
): Promise<CommittedDecision[]> {
  const { code, userId, after = '' } = filter;
  const codes = code === undefined ? await findCodes(postgres, filter, limit) : code > after ? [code] : [];
  const found = codes.length === 0 ? [] : await findDecisions(postgres, codes);
  const isWanted = ({ decision }: CommittedDecision) =>
    decision.lines.some(isBought) && (userId === undefined || decision.userId === userId);
  return found.filter(isWanted).sort((a, b) => byCode(a.decision, b.decision));
}

// Codes are ASCII: code units compare as bytes do.
const byCode = (a: Decision, b: Decision): number => (a.code < b.code ? -1 : 1);

async function findCodes(
  postgres: Postgres,
  { saleId, userId, itemId, after }: PurchasesFilter,
  limit: number,
): Promise<string[]> {
  const [from, to] = [after ?? `CHK-${saleId}-`, `CHK-${saleId}.`];
  const find = (each: Statement, values: unknown[]) => postgres.query<{ code: string }>(each, values);
  const rows =
    itemId !== undefined
      ? await find(sql.ofItem, [saleId, itemId, userId ?? null, from, limit])
      : userId !== undefined
        ? await find(sql.ofUser, [from, to, userId, limit])
        : await find(sql.ofSale, [from, to, limit]);
  return rows.map(({ code }) => code);
}

/** All of them, page by page: no connection is held, and no statement runs, while the reader takes its time. */
export async function* eachPage(
  postgres: Postgres,
  filter: PurchasesFilter,
  pageRows: number,
): AsyncGenerator<readonly CommittedDecision[]> {
  let after = filter.after;
  for (;;) {
    const page = await listPurchases(postgres, { ...filter, ...(after && { after }) }, pageRows);
    if (page.length > 0) yield page;
    if (page.length < pageRows) return;
    after = page.at(-1)?.decision.code;
  }
}
