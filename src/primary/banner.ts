import type { Config } from '../config.ts';
import type { LiveSale } from '../sale.ts';
import { listItems } from '../store/items.ts';
import type { Postgres } from '../store/postgres.ts';
import type { Redis } from '../store/redis.ts';
import { readProgress } from './progress.ts';

/** What the banner says of a sale. */
export interface Offer {
  readonly sale: LiveSale;
  readonly left: number;
  /** An item that can be bought; undefined when none is left. */
  readonly item: string | undefined;
}

/** Reads what is left of a sale that is open; undefined when there is none, or a store does not say. */
export async function readOffer(
  redis: Redis,
  postgres: Postgres,
  sale: LiveSale | undefined,
): Promise<Offer | undefined> {
  if (sale === undefined) return undefined;
  try {
    const [progress] = await readProgress(redis, [sale]);
    if (progress === undefined) return undefined;
    const left = sale.total - progress.sold;
    const page = { saleId: sale.id, limit: 1, availableOnly: true };
    const [item] = left > 0 ? await listItems(postgres, page) : [];
    return { sale, left, item: item?.id };
  } catch {
    return undefined;
  }
}

export interface BannerFacts {
  readonly url: string;
  readonly readyMs: number;
  /** Of the active sale. */
  readonly offer: Offer | undefined;
}

/** What a person reads on a terminal once the service is up. No row of it is wider than 80 columns. */
export function banner(
  { hourlySales, workers }: Pick<Config, 'hourlySales' | 'workers'>,
  { url, readyMs, offer }: BannerFacts,
): string {
  const seconds = (readyMs / 1_000).toFixed(1);
  const none =
    hourlySales === 'on'
      ? 'No hourly sale is open.'
      : 'No sale is open: make one with POST /admin/sales (docs/quick-start.md).';
  const rows = [
    `flashsale is open at ${url} (${workers} worker${workers === 1 ? '' : 's'}, ready in ${seconds} s)`,
    offer ? stateOf(offer) : none,
    '',
    `All requests and answers:  ${url}/docs`,
  ];
  if (offer?.item !== undefined)
    rows.push(
      "Put an item into ada's cart:",
      `  ITEM=${offer.item}`,
      `  curl -X POST "${url}/checkout?user_id=ada&id=$ITEM"`,
    );
  rows.push('Sell a whole sale, from another terminal:  npm run sellout', 'Ctrl-C ends it.');
  return `\n${rows.map((row) => (row === '' ? '' : `  ${row}`)).join('\n')}\n\n`;
}

function stateOf({ sale, left }: Offer): string {
  const minutes = Math.round((sale.endsAtMs - Date.now()) / 60_000);
  const end = `${new Date(sale.endsAtMs).toTimeString().slice(0, 5)} (${minutes} min)`;
  const [all, some] = [sale.total.toLocaleString('en'), left.toLocaleString('en')];
  return left === 0
    ? `All ${all} items are sold; ${sale.hourly ? 'the next sale opens' : 'the sale ends'} at ${end}.`
    : `${some} of ${all} items are left, ${sale.userLimit} per user, until ${end}.`;
}
