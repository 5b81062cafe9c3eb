import type { Config } from '../config.ts';
import { activeOf, type LiveSale } from '../sale.ts';

/** What a person reads on a terminal once the service is up. */
export function banner(
  { hourlySales, workers }: Pick<Config, 'hourlySales' | 'workers'>,
  base: string,
  sales: readonly LiveSale[],
  startMs: number,
): string {
  const now = Date.now();
  const sale = activeOf(sales, now, hourlySales === 'on');
  const until = sale && new Date(sale.endsAtMs).toTimeString().slice(0, 5);
  const minutes = sale && Math.round((sale.endsAtMs - now) / 60_000);
  return [
    '',
    `  flashsale is open at ${base}  (${workers} worker${workers === 1 ? '' : 's'}, ready in ${(startMs / 1000).toFixed(1)} s)`,
    sale
      ? `  Sale ${sale.id}: ${sale.total.toLocaleString('en')} items, ${sale.userLimit} per user, until ${until} (${minutes} min left)`
      : hourlySales === 'on'
        ? '  No hourly sale is open.'
        : '  No sale is open: make one with POST /admin/sales (docs/quick-start.md).',
    '',
    '  Try:',
    `    curl -s "${base}/sales/${sale?.id ?? 'active'}/items?limit=3"`,
    ...(sale
      ? [
          `    curl -s -X POST "${base}/checkout?user_id=ada&id=$(curl -s '${base}/sales/${sale.id}/items?limit=1&available=true' | cut -d'"' -f4)"`,
        ]
      : []),
    '',
    '  Ctrl-C ends it.',
    '',
    '',
  ].join('\n');
}
