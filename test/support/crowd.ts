import { setTimeout as sleep } from 'node:timers/promises';
import { createShop, Refusal } from '../../client/index.ts';

const PAUSE_MS = 40;

/** Two buyers who buy these items one after the other, and wait while the sale is paused. `stop` throws what went wrong. */
export function startCrowd(url: string, sale: string, items: readonly string[]) {
  const end = new AbortController();
  const { signal } = end;
  const buyer = async (first: number) => {
    for (let i = first; i < items.length && !signal.aborted; ) {
      const shop = createShop({ baseUrl: `${url}/`, user: `crowd-${i}` });
      try {
        const { code } = await shop.checkout(items[i] as string, { sale, signal });
        await shop.buy(code, { signal });
        i += 2;
      } catch (error) {
        if (!signal.aborted && !(error instanceof Refusal && error.code === 'sale_paused')) throw error;
      }
      await sleep(PAUSE_MS);
    }
  };
  const buying = Promise.all([buyer(0), buyer(1)]);
  buying.catch(() => {});
  return {
    async stop(): Promise<void> {
      end.abort();
      await buying;
    },
  };
}
