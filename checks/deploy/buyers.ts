import { setTimeout as sleep } from 'node:timers/promises';
import type { Http } from '../../test/support/http.ts';
import { checkout, purchase } from '../../test/support/shop.ts';

export interface Sold {
  readonly code: string;
  readonly item: string;
}

/** A few buyers who go on until they are told to stop, one item each time. */
export interface Buyers {
  /** What was answered 200, in the order of the answers. */
  readonly sold: readonly Sold[];
  /** All other answers and failures, counted by status and code. */
  readonly failures: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

export interface BuyersOptions {
  readonly sale: string;
  /** Taken from the front. */
  readonly items: string[];
  /** Pause of a buyer between two items. */
  readonly pauseMs: number;
  /** Gives the client to use; asked before every item. */
  readonly http: () => Http;
}

const BUYERS = 4;

export function startBuyers({ sale, items, pauseMs, http }: BuyersOptions): Buyers {
  const sold: Sold[] = [];
  const failures = new Map<string, number>();
  let stopped = false;
  const buyOne = async (user: string, item: string) => {
    const client = http();
    const filled = await checkout(client, user, item, sale);
    const reply = filled.status === 200 ? await purchase(client, filled.body.code) : filled;
    if (reply.status === 200) sold.push({ code: filled.body.code, item });
    else throw new Error(`${reply.status} ${reply.body?.code}`);
  };
  const buyer = async (name: string) => {
    for (let i = 0; !stopped && items.length > 0; i++) {
      const item = items.shift() as string;
      await buyOne(`${name}-${i}`, item).catch((error: NodeJS.ErrnoException) => {
        const what = error.code ?? error.message;
        failures.set(what, (failures.get(what) ?? 0) + 1);
      });
      await sleep(pauseMs);
    }
  };
  const run = Math.random().toString(36).slice(2, 8);
  const all = Promise.all(Array.from({ length: BUYERS }, (_, i) => buyer(`${run}${i}`)));
  return {
    sold,
    failures,
    async stop() {
      stopped = true;
      await all;
    },
  };
}
