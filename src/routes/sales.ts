import { answers, type Documented, operation } from '../contract/operation.ts';
import { path, query } from '../contract/parameters.ts';
import { count, listOf, named, objectOf, withOptional } from '../contract/schema.ts';
import { flag, SALE_ID_SCHEMA, text, time } from '../contract/schemas.ts';
import { STORY } from '../contract/story.ts';
import type { Schema } from '../contract/types.ts';
import { type Answer, json } from '../http/answer.ts';
import type { Asked } from '../http/asked.ts';
import { type FieldErrors, oneOf, readNumber, readParameter, refuseOthers } from '../http/input.ts';
import { linkToNext, pageOf } from '../http/paging.ts';
import { problem } from '../http/problem.ts';
import { formatTime } from '../http/time.ts';
import { PAYMENT_SECONDS } from '../intake/new-sale.ts';
import { isOpen, SALE_ID, SALE_STATES, type SaleState, stateOf } from '../sale.ts';
import type { WorkerSale } from '../selling/live-sales.ts';
import type { Postgres } from '../store/postgres.ts';
import type { Redis } from '../store/redis.ts';
import { findSale, listSales, type SaleSummary } from '../store/sale-list.ts';
import { countLoaded, countSold } from '../store/sales.ts';
import type { RouteDeps } from './deps.ts';
import { QUEUE_SCHEMA, queueViewOf } from './queue-settings.ts';

type SalesDeps = Pick<RouteDeps, 'liveSales' | 'postgres' | 'redis'>;

const STATUS = oneOf(...SALE_STATES);
const LIMIT = { fallback: 100, min: 1, max: 1_000 } as const;
const AFTER = { required: false, pattern: SALE_ID, form: 'the id of a sale' } as const;

/** What a sale looks like to a reader. */
export type SaleView = ReturnType<typeof viewOf>;

export const viewOf = (sale: SaleSummary) => ({
  id: sale.id,
  started_at: formatTime(sale.startsAtMs),
  ended_at: formatTime(sale.endsAtMs),
  total_items: sale.total,
  items_sold: sale.sold - (sale.held ?? 0),
  ...(sale.held !== undefined && { items_held: sale.held }),
  active: isOpen(sale, Date.now()),
  state: stateOf(sale, Date.now()),
});

interface Summary extends SaleSummary {
  /** Share of its items that are loaded; undefined once all of them are for sale. */
  readonly loaded?: number;
}

/** Of one sale there is more to say. */
const wholeViewOf = (sale: Summary) => ({
  ...viewOf(sale),
  user_limit: sale.userLimit,
  ...(sale.name !== undefined && { name: sale.name }),
  ...(sale.currency !== undefined && { currency: sale.currency }),
  ...(sale.paymentSeconds !== undefined && { payment_seconds: sale.paymentSeconds }),
  ...(sale.queue && { queue: queueViewOf(sale.queue) }),
  ...(sale.loaded !== undefined && { loading: true, loaded: sale.loaded }),
});

/** Everybody polls these, and nobody notices the age of a second. */
export const FRESH = { 'Cache-Control': 'max-age=1' };

/** GET /sales/active, /sales and /sales/{id}. */
export function salesEndpoints({ liveSales, postgres, redis }: SalesDeps): Documented[] {
  /**
   * A live sale is known here, and its newest count is Redis'; what is committed will do while Redis is away, and after
   * the sale. A sale that Redis does not have is being loaded.
   */
  const summaryOf = async (id: string | undefined): Promise<Summary | undefined> => {
    if (id === undefined) return undefined;
    const live = liveSales.find(id);
    const sold = live ? await countSold(redis, id).catch(() => 'away' as const) : undefined;
    if (live && typeof sold === 'number') return { ...live.facts, sold, ...(await heldOf(live, sold)) };
    const sale = await findSale(postgres, id);
    if (sale === undefined || sold !== undefined || sale.endsAtMs <= Date.now()) return sale;
    return { ...sale, loaded: live ? await loadedOf(redis, live) : 0 };
  };

  return [
    {
      method: 'GET',
      path: '/sales/active',
      operation: READ_ACTIVE,
      async answer(asked) {
        const sale = await summaryOf(liveSales.find(undefined)?.facts.id);
        return sale ? json(200, viewOf(sale), FRESH) : problem(asked, 'sale_not_found');
      },
    },
    { method: 'GET', path: '/sales', operation: LIST, answer: (asked) => answerList(asked, postgres) },
    {
      method: 'GET',
      path: '/sales/:id',
      operation: READ,
      async answer(asked) {
        const sale = await summaryOf(asked.params.id);
        if (sale === undefined) return problem(asked, 'sale_not_found');
        return json(200, wholeViewOf(sale), FRESH);
      },
    },
  ];
}

/** What of the sold units is held for payments. Redis and Postgres are asked at different times: never more than are sold. */
export async function heldOf(sale: WorkerSale, sold: number): Promise<{ held?: number }> {
  return sale.facts.paymentSeconds === undefined ? {} : { held: Math.min(await sale.held(), sold) };
}

/** The share of a sale's items that Redis holds, in hundredths; 0 while Redis is away. */
async function loadedOf(redis: Redis, { facts }: WorkerSale): Promise<number> {
  const items = await countLoaded(redis, facts.id).catch(() => 0);
  return Math.min(1, Math.floor((100 * items) / (facts.items ?? facts.total)) / 100);
}

async function answerList(asked: Asked, postgres: Postgres): Promise<Answer> {
  const errors: FieldErrors = {};
  refuseOthers(asked.query, ['status', 'limit', 'after'], errors);
  const state = readParameter(asked.query, 'status', STATUS, errors) as SaleState | undefined;
  const limit = readNumber(asked.query, 'limit', LIMIT, errors);
  const after = readParameter(asked.query, 'after', AFTER, errors);
  if (after !== undefined && (await findSale(postgres, after)) === undefined)
    errors.after = `after must be a sale: ${after} is none`;
  if (Object.keys(errors).length > 0) return problem(asked, 'validation_failed', { errors });
  const filter = { ...(state && { state }), ...(after && { after }), limit: limit + 1 };
  const rows = await listSales(postgres, filter);
  const { shown, next } = pageOf(rows, limit);
  const link = linkToNext('/sales', limit, next, state ? { status: state } : {});
  return json(200, shown.map(viewOf), { ...FRESH, ...link });
}

/** What a sale may be in. */
const SALE_STATE_SCHEMA: Schema = {
  type: 'string',
  enum: SALE_STATES,
  description:
    '`paused`: within its hours, but nothing is sold until it is resumed. `cancelled`: deleted before it began.',
};

export const SALE_FIELDS = {
  id: SALE_ID_SCHEMA,
  started_at: time('When the sale opens, UTC.'),
  ended_at: time('When it closes, UTC. Nothing is sold from this moment on.'),
  total_items: count('Units of the sale: as many as items, where no item has a stock.', 1),
  items_sold: count('Units sold so far, without those that are held for payments.'),
  active: flag('Whether it is within its hours now, paused or not.'),
  state: SALE_STATE_SCHEMA,
};
export const PAYMENT_SECONDS_SCHEMA = count(
  'Its payment window: how long the units of a purchase are held for its payment.',
  PAYMENT_SECONDS.min,
  { maximum: PAYMENT_SECONDS.max },
);
/** What a sale with a payment window has as well. */
export const SALE_EXTRAS = {
  items_held: count('Units held for payments that are pending; where the sale has a payment window.'),
};
const SALE_SCHEMA = named(
  'Sale',
  withOptional(objectOf<Omit<SaleView, 'items_held'>>(SALE_FIELDS), SALE_EXTRAS),
);
const SALE_WITH_LIMIT_SCHEMA = named(
  'SaleWithLimit',
  withOptional(
    objectOf<Omit<SaleView, 'items_held'> & { user_limit: number }>({
      ...SALE_FIELDS,
      user_limit: count('Units that one user may hold in this sale.', 1),
    }),
    {
      ...SALE_EXTRAS,
      name: text('What the shop calls it.'),
      currency: text('The currency of its prices: a code of ISO 4217.'),
      payment_seconds: PAYMENT_SECONDS_SCHEMA,
      queue: QUEUE_SCHEMA,
      loading: {
        type: 'boolean',
        const: true,
        description: 'Its items are not for sale yet: they are being loaded.',
      },
      loaded: {
        type: 'number',
        minimum: 0,
        maximum: 1,
        description: 'The share of its items that are loaded so far; with `loading`.',
      },
    },
  ),
);
export const SALE_PATH = path('id', SALE_ID_SCHEMA, 'The sale.', STORY.saleId);

const READ_ACTIVE = operation({
  id: 'readActiveSale',
  tag: 'Sales',
  summary: 'The active sale',
  description:
    'The sale of requests without `sale_id`: of the hourly sales that are open now, the one that began last; where hourly sales are off, of the open sales made through the admin API.',
  answers: { 200: answers('The sale.', SALE_SCHEMA, STORY.sale, ['Cache-Control']) },
  problems: ['sale_not_found', 'overloaded', 'unavailable'],
});

const LIST = operation({
  id: 'listSales',
  tag: 'Sales',
  summary: 'All sales',
  description: 'A page of sales, newest first. The header `Link` leads to the next page.',
  parameters: [
    query('status', STATUS, 'Only sales in this state.', { example: 'active' }),
    query('limit', LIMIT, 'Sales of a page.', { example: 10 }),
    query('after', AFTER, 'The last sale of the page before.'),
  ],
  answers: { 200: answers('The sales.', listOf(SALE_SCHEMA), [STORY.sale], ['Cache-Control', 'Link']) },
  problems: ['validation_failed', 'overloaded', 'unavailable'],
});

const READ = operation({
  id: 'readSale',
  tag: 'Sales',
  summary: 'One sale',
  description: 'A sale of any state.',
  parameters: [SALE_PATH],
  answers: {
    200: answers(
      'The sale.',
      SALE_WITH_LIMIT_SCHEMA,
      { ...STORY.sale, user_limit: STORY.newSale.user_limit },
      ['Cache-Control'],
    ),
  },
  problems: ['sale_not_found', 'overloaded', 'unavailable'],
});
