/** Whether everything that became of a sale's purchases was told, by the feed once and by webhooks at least once. */
import { withPostgres } from './dumps.ts';
import type { FaultContext } from './faults.ts';
import type { Received } from './receiver.ts';
import { until } from './stand.ts';

const TOLD_MS = 60_000;

/** What must be told of a sale with a payment window, as `type code`, by what its payments and returns are in the end. */
async function readFacts(databaseUrl: string, saleId: string): Promise<Set<string>> {
  const { rows } = await withPostgres(databaseUrl, (client) =>
    client.query<{ fact: string }>(
      `with paid as (select code, state from payments where code like 'CHK-' || $1 || '-%')
       select 'purchase.pending ' || code as fact from paid
       union all select 'purchase.confirmed ' || code from paid where state = 'confirmed'
       union all select 'purchase.released ' || code from paid where state in ('released', 'expired')
       union all select 'purchase.cancelled ' || code from returns where sale_id = $1 and kind = 'cancelled'`,
      [saleId],
    ),
  );
  return new Set(rows.map(({ fact }) => fact));
}

const factsOf = (told: readonly Received[], saleId: string): string[] =>
  told.flatMap(({ type, data }) =>
    type.startsWith('purchase.') && data.sale_id === saleId ? [`${type} ${data.code}`] : [],
  );

/** Compares, once the sale is at rest. Returns how much was told, by the feed and by webhooks together. */
export async function checkTold(
  { stand, violate }: FaultContext,
  saleId: string,
  {
    feed,
    webhooks,
  }: { readonly feed: () => Promise<readonly Received[]>; readonly webhooks: readonly Received[] },
): Promise<number> {
  const facts = await readFacts(stand.direct().databaseUrl, saleId);
  const unsent = () => {
    const sent = new Set(factsOf(webhooks, saleId));
    return [...facts].filter((fact) => !sent.has(fact));
  };
  await until(async () => unsent().length === 0, 'every fact is sent', TOLD_MS).catch(() =>
    violate('event-missed', `${unsent().length} of ${facts.size} webhooks, one of them ${unsent()[0]}`),
  );
  for (const [by, told] of [
    ['the feed', factsOf(await feed(), saleId)],
    ['webhooks', factsOf(webhooks, saleId)],
  ] as const) {
    const heard = new Set(told);
    const missed = [...facts].filter((fact) => !heard.has(fact));
    const invented = [...heard].filter((fact) => !facts.has(fact));
    if (missed.length > 0) violate('event-missed', `${missed.length} by ${by}, one of them ${missed[0]}`);
    if (invented.length > 0) violate('invented', `${invented.length} by ${by}, one of them ${invented[0]}`);
    // Its receiver has answered each, and no leader dies.
    if (told.length > heard.size) violate('event-twice', `${told.length - heard.size} by ${by}`);
  }
  return 2 * facts.size;
}
