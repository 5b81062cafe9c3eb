/** A queue as a worker and the leader see it, on stores of its own. */
import assert from 'node:assert/strict';
import pino from 'pino';
import { createQueueDuty } from '../../../src/primary/duties/queues.ts';
import type { LiveSale, QueueSettings } from '../../../src/sale.ts';
import { createSaleQueue, type SaleQueue } from '../../../src/selling/sale-queue.ts';
import { readLiveSales } from '../../../src/store/sales.ts';
import { addSale, openStores, type SaleOptions } from '../../support/stores.ts';

export const stores = await openStores();
export const { redis, postgres, sql } = stores;
export const log = pino({ level: 'silent' });

/** A sale with a queue as a worker and the leader see it, and what both do. */
export async function openQueue(settings: Partial<QueueSettings> = {}, options: SaleOptions = {}) {
  const queue = { admitPerSecond: 10, draws: true, ...settings };
  const { id } = await addSale(stores, { startsIn: 60_000, ...options, queue });
  let facts: LiveSale;
  let sheds = false;
  const refresh = async () => {
    facts = (await readLiveSales(postgres)).find((sale) => sale.id === id)!;
  };
  await refresh();
  const takeShed = () => sheds;
  const worker = () => createSaleQueue({ redis, postgres, sale: () => facts, takeShed });
  const line = worker();
  const lead = createQueueDuty({ redis, postgres, log, sales: () => [facts] });
  await lead();
  /** What a worker sees of the line Postgres has before. */
  const see = async () => {
    await line.look();
    await lead();
    await line.look();
  };
  return {
    id,
    line,
    see,
    worker,
    lead,
    refresh,
    facts: () => facts,
    shed: (value: boolean) => {
      sheds = value;
    },
    /** Lets the sale begin now, and the draw be made. */
    async begin() {
      await sql(
        `update sales set starts_at = now() - interval '1 s', version = version + 1 where id = $1`,
        id,
      );
      await refresh();
      await lead();
      await refresh();
      await see();
    },
    async change(columns: string) {
      await sql(`update sale_queues set ${columns} where sale_id = $1`, id);
      await sql('update sales set version = version + 1 where id = $1', id);
      await refresh();
      await see();
    },
    joinAll: (users: readonly string[], by: SaleQueue = line) =>
      Promise.all(users.map(async (user) => [user, await ticketOf(by, user)] as const)),
  };
}

export async function ticketOf(line: SaleQueue, user: string): Promise<string> {
  const joined = await line.join(user);
  assert.ok('ticket' in joined, JSON.stringify(joined));
  return joined.ticket;
}

export const usersOf = (count: number, name = 'user') =>
  Array.from({ length: count }, (_, i) => `${name}-${i}`);
export type Tickets = readonly (readonly [string, string])[];
export const placesOf = (line: SaleQueue, tickets: Tickets) =>
  tickets.map(([user, ticket]) => line.turnOf(user, ticket)!.place);
