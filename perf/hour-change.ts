/** How soon the next hour's sale sells, and whether anybody is wrongly refused around the change. */
import { generateItems } from '../src/goods/catalogue.ts';
import { createSale } from '../src/store/sales.ts';
import type { Bench } from './cases.ts';
import { type Connection, openConnection } from './client.ts';

export interface HourChangeResult {
  /** From the change to the first accepted checkout of the new sale, in ms. */
  readonly firstMs: number;
  readonly requests: number;
  /** Requests that were sent and answered on one side of the change, and were not accepted. */
  readonly wronglyRefused: number;
}

const CUSTOMERS = 32;
const AHEAD_MS = 1_000;
const BEFORE_MS = 2_500;
const AFTER_MS = 1_000;
const ITEMS = 100;

/** Customers check out all the time, without naming a sale, while one hourly sale ends and the next one begins. */
export async function measureHourChange({ service, stores }: Bench): Promise<HourChangeResult> {
  const changeMs = Date.now() + BEFORE_MS;
  const newSale = async (startsAtMs: number, endsAtMs: number) => {
    const facts = { startsAtMs, endsAtMs, total: ITEMS, userLimit: 10, hourly: true };
    return (await createSale(stores.postgres, facts)) as string;
  };
  // It is made ahead, as the scheduler does: one that had begun already would be refused while it is loaded.
  const old = await newSale(Date.now() + AHEAD_MS, changeMs);
  const next = await newSale(changeMs, changeMs + AFTER_MS + 1_000);
  const [oldItem, nextItem] = [old, next].map((id) => generateItems(id, ITEMS)[0]?.id as string);

  const result = { firstMs: Number.POSITIVE_INFINITY, requests: 0, wronglyRefused: 0 };
  const customer = async (_: unknown, n: number) => {
    const connection = openConnection(service.url);
    // Every worker has to know of it, and a connection is one worker's.
    await untilActive(connection, old);
    for (let visit = 0; Date.now() < changeMs + AFTER_MS; visit++) {
      const sentMs = Date.now();
      const item = sentMs < changeMs ? oldItem : nextItem;
      const { status, body } = await connection.request(
        'POST',
        `/checkout?user_id=h${n}-${visit}&id=${item}`,
      );
      const isWithin = sentMs >= changeMs || Date.now() < changeMs;
      result.requests++;
      if (status !== 200 && isWithin) result.wronglyRefused++;
      if (status === 200 && body.includes(next))
        result.firstMs = Math.min(result.firstMs, Date.now() - changeMs);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: CUSTOMERS }, customer));
  return result;
}

async function untilActive(connection: Connection, saleId: string): Promise<void> {
  const deadlineMs = performance.now() + BEFORE_MS;
  while (!(await connection.request('GET', '/sales/active')).body.includes(saleId)) {
    if (performance.now() > deadlineMs) throw new Error(`${saleId} did not become the active sale`);
  }
}
