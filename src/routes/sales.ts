import { answers, type Documented, operation } from '../contract/operation.ts';
import { path, query } from '../contract/parameters.ts';
import { count, listOf, named, objectOf } from '../contract/schema.ts';
import { flag, SALE_ID_SCHEMA, time } from '../contract/schemas.ts';
import { STORY } from '../contract/story.ts';
import { json } from '../http/answer.ts';
import { type FieldErrors, oneOf, readNumber, readParameter, refuseOthers } from '../http/input.ts';
import { problem } from '../http/problem.ts';
import { formatTime } from '../http/time.ts';
import { isOpen, SALE_ID, SALE_STATES, type SaleState } from '../sale.ts';
import type { Postgres } from '../store/postgres.ts';
import { countSold, listSales, type SaleSummary } from '../store/sales.ts';
import type { RouteDeps } from './deps.ts';

type SalesDeps = Pick<RouteDeps, 'liveSales' | 'postgres' | 'redis'>;

const STATUS = oneOf(...SALE_STATES);
const LIMIT = { fallback: 1_000, min: 1, max: 1_000 } as const;

/** What a sale looks like to a reader. */
type SaleView = ReturnType<typeof viewOf>;

const viewOf = (sale: SaleSummary) => ({
  id: sale.id,
  started_at: formatTime(sale.startsAtMs),
  ended_at: formatTime(sale.endsAtMs),
  total_items: sale.total,
  items_sold: sale.sold,
  active: isOpen(sale, Date.now()),
});

/** Everybody polls these, and nobody notices the age of a second. */
const FRESH = { 'Cache-Control': 'max-age=1' };

export async function findSale(postgres: Postgres, id: string): Promise<SaleSummary | undefined> {
  return SALE_ID.test(id) ? (await listSales(postgres, { id, limit: 1 }))[0] : undefined;
}

/** GET /sales/active, /sales and /sales/{id}. */
export function salesEndpoints(deps: SalesDeps): Documented[] {
  const { liveSales, postgres, redis } = deps;
  /** Redis has the newest count. While it is away, and after the sale, the committed count serves. */
  const newestCount = (saleId: string) => countSold(redis, saleId).catch(() => undefined);

  return [
    {
      method: 'GET',
      path: '/sales/active',
      operation: READ_ACTIVE,
      async answer(asked) {
        const facts = liveSales.find(undefined)?.facts;
        if (facts === undefined) return problem(asked, 'sale_not_found');
        const sold = await newestCount(facts.id);
        const sale = sold === undefined ? await findSale(postgres, facts.id) : { ...facts, sold };
        return sale ? json(200, viewOf(sale), FRESH) : problem(asked, 'sale_not_found');
      },
    },
    {
      method: 'GET',
      path: '/sales',
      operation: LIST,
      async answer(asked) {
        const errors: FieldErrors = {};
        refuseOthers(asked.query, ['status', 'limit'], errors);
        const state = readParameter(asked.query, 'status', STATUS, errors) as SaleState | undefined;
        const limit = readNumber(asked.query, 'limit', LIMIT, errors);
        if (Object.keys(errors).length > 0) return problem(asked, 'validation_failed', { errors });
        const found = await listSales(postgres, { ...(state && { state }), limit });
        return json(200, found.map(viewOf), FRESH);
      },
    },
    {
      method: 'GET',
      path: '/sales/:id',
      operation: READ,
      async answer(asked) {
        const sale = await findSale(postgres, asked.params.id as string);
        if (sale === undefined) return problem(asked, 'sale_not_found');
        const sold = (await newestCount(sale.id)) ?? sale.sold;
        return json(200, viewOf({ ...sale, sold }), FRESH);
      },
    },
  ];
}

const SALE_SCHEMA = named(
  'Sale',
  objectOf<SaleView>({
    id: SALE_ID_SCHEMA,
    started_at: time('When the sale opens, UTC.'),
    ended_at: time('When the sale closes, UTC. From then on nothing is sold.'),
    total_items: count('Items of the sale.', 1),
    items_sold: count('Items sold so far.'),
    active: flag('Whether the sale is open now.'),
  }),
);
export const SALE_PATH = path('id', SALE_ID_SCHEMA, 'The sale.', STORY.saleId);

const READ_ACTIVE = operation({
  id: 'readActiveSale',
  tag: 'Sales',
  summary: 'The active sale',
  description:
    'The sale of requests without `sale_id`: of the hourly sales that are open now, the one that began last.',
  answers: { 200: answers('The sale.', SALE_SCHEMA, STORY.sale, ['Cache-Control']) },
  problems: ['sale_not_found', 'overloaded', 'unavailable'],
});

const LIST = operation({
  id: 'listSales',
  tag: 'Sales',
  summary: 'All sales',
  description: 'Sales, newest first.',
  parameters: [
    query('status', STATUS, 'Only sales in this state.', { example: 'active' }),
    query('limit', LIMIT, 'Sales to answer, at most.', { example: 10 }),
  ],
  answers: { 200: answers('The sales.', listOf(SALE_SCHEMA), [STORY.sale], ['Cache-Control']) },
  problems: ['validation_failed', 'overloaded', 'unavailable'],
});

const READ = operation({
  id: 'readSale',
  tag: 'Sales',
  summary: 'One sale',
  description: 'A sale of any state.',
  parameters: [SALE_PATH],
  answers: { 200: answers('The sale.', SALE_SCHEMA, STORY.sale, ['Cache-Control']) },
  problems: ['sale_not_found', 'overloaded', 'unavailable'],
});
