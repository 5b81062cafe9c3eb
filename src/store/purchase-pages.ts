import { type Decision, isBought } from './decision.ts';
import { type Postgres, type Statement, statement } from './postgres.ts';
import { type PurchaseState, stateOfPurchase } from './purchase-state.ts';
import { type CommittedDecision, findDecisions } from './receipts.ts';

const sql = {
  ofSale: statement('sale_codes'),
  ofUser: statement('user_codes'),
  ofItem: statement('item_codes'),
  ofPayments: statement('payment_codes'),
};

export interface PurchasesFilter {
  readonly saleId: string;
  readonly userId?: string;
  /** The purchase of this code alone. */
  readonly code?: string;
  /** Only purchases that bought this item. */
  readonly itemId?: string;
  readonly state?: PurchaseState;
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
  const isWanted = (purchase: CommittedDecision) =>
    purchase.decision.lines.some(isBought) &&
    (filter.userId === undefined || purchase.decision.userId === filter.userId) &&
    (filter.state === undefined || stateOfPurchase(purchase) === filter.state);
  const wanted: CommittedDecision[] = [];
  for (let after = filter.after; ; ) {
    const codes = await findCodes(postgres, { ...filter, ...(after && { after }) }, limit);
    const found = codes.length === 0 ? [] : await findDecisions(postgres, codes);
    wanted.push(...found.filter(isWanted).sort((a, b) => byCode(a.decision, b.decision)));
    // Codes that are not wanted are few: the filter that excludes most has chosen them.
    if (codes.length < limit || wanted.length >= limit) return wanted.slice(0, limit);
    after = codes.at(-1);
  }
}

// Codes are ASCII: code units compare as bytes do.
const byCode = (a: Decision, b: Decision): number => (a.code < b.code ? -1 : 1);

/** How payments say what a purchase is. */
const OF_PAYMENTS: Partial<Record<PurchaseState, readonly string[]>> = {
  pending: ['pending'],
  confirmed: ['confirmed'],
  released: ['released', 'expired'],
};

async function findCodes(
  postgres: Postgres,
  { saleId, userId, code, itemId, state, after }: PurchasesFilter,
  limit: number,
): Promise<string[]> {
  if (code !== undefined) return after === undefined || code > after ? [code] : [];
  const [from, to] = [after ?? `CHK-${saleId}-`, `CHK-${saleId}.`];
  const find = (each: Statement, values: unknown[]) => postgres.query<{ code: string }>(each, values);
  const states = state && OF_PAYMENTS[state];
  const rows =
    itemId !== undefined
      ? await find(sql.ofItem, [saleId, itemId, userId ?? null, from, limit])
      : userId !== undefined
        ? await find(sql.ofUser, [from, to, userId, limit])
        : states !== undefined
          ? await find(sql.ofPayments, [from, to, states, limit])
          : await find(sql.ofSale, [from, to, limit]);
  return rows.map((row) => row.code);
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
