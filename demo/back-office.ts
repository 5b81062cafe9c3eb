/** What the shop of the demo does itself: it makes the sale, and says which payments came. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Good } from './goods.ts';

/** Units that one buyer may hold. */
export const LIMIT = 4;

/** An order as the admin API lists it. */
export interface Order {
  readonly code: string;
  readonly user_id: string;
  readonly state: string;
  readonly purchased_items: readonly {
    readonly id: string;
    readonly sold: boolean;
    readonly quantity?: number | undefined;
  }[];
}

export interface SalePlan {
  readonly items: readonly Good[];
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly paymentS: number;
}

export interface BackOffice {
  /** Makes the sale, and returns its id. */
  makeSale(plan: SalePlan): Promise<string>;
  /** Says what became of a payment. One that came too late, or that somebody else has settled, stays as it is. */
  settle(code: string, how: 'confirm' | 'release'): Promise<void>;
  orders(sale: string): Promise<Order[]>;
}

/** A minute: a service whose workers are killed is back long before that. */
const TRIES = 120;
const PAUSE_MS = 500;

export function openBackOffice(url: string): BackOffice {
  /** The same request again until it has an answer. The key keeps a repeat from making a second sale. */
  const ask = async (path: string, init: RequestInit & { headers: Record<string, string> }) => {
    for (let tries = 1; ; tries++) {
      const answer = await fetch(new URL(path, url), init).catch((error: Error) => error);
      if (answer instanceof Response && answer.status < 500) return answer;
      if (tries === TRIES) throw answer instanceof Error ? answer : new Error(await answer.text());
      await sleep(PAUSE_MS);
    }
  };
  const post = (path: string, body?: unknown) =>
    ask(path, {
      method: 'POST',
      headers: {
        'Idempotency-Key': crypto.randomUUID(),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  return {
    async makeSale({ items, startsAtMs, endsAtMs, paymentS }) {
      const answer = await post('/admin/sales', {
        ...{ name: 'Demo drop', currency: 'EUR', user_limit: LIMIT, payment_seconds: paymentS, items },
        started_at: new Date(startsAtMs).toISOString(),
        ended_at: new Date(endsAtMs).toISOString(),
      });
      if (answer.status !== 201) throw new Error(await answer.text());
      return ((await answer.json()) as { data: { id: string } }).data.id;
    },
    async settle(code, how) {
      await (await post(`/admin/purchases/${code}/${how}`)).body?.cancel();
    },
    async orders(sale) {
      const path = `/admin/sales/${sale}/purchases`;
      const text = await (await ask(path, { headers: { Accept: 'application/x-ndjson' } })).text();
      const rows = text.split('\n').filter((row) => row !== '');
      return rows.map((row) => JSON.parse(row) as Order);
    },
  };
}
