import { createHash } from 'node:crypto';
import { type Answer, json, type RequestContext } from '../http/answer.ts';
import { failureCode } from '../http/failure.ts';
import { type FieldErrors, oneOf, type Query, readNumber, readParameter } from '../http/input.ts';
import { problem } from '../http/problem.ts';
import { formatTime } from '../http/time.ts';
import { isOpen, type LiveSale, SALE_ID, SALE_STATES, type SaleState } from '../sale.ts';
import type { ItemPage, ItemView } from '../store/items.ts';
import type { SaleSummary } from '../store/sales.ts';

/** The parameters of a listing of sales. */
export const SALES_QUERY = { status: oneOf(...SALE_STATES) } as const;
/** The parameters of a page of items. */
export const ITEMS_QUERY = {
  limit: { fallback: 100, min: 1, max: 1_000 },
  after: { required: false },
  available: oneOf('true', 'false'),
} as const;
/** Sales of one listing. */
export const SALES_MAX = 1_000;

export interface SalesDeps {
  /** The facts of the sale that is meant without an id. */
  readonly findActive: () => LiveSale | undefined;
  /** Items that Redis has decided as sold in a live sale; undefined when it cannot say. */
  readonly countSold: (saleId: string) => Promise<number | undefined>;
  readonly listSales: (filter: {
    readonly state?: SaleState;
    readonly id?: string;
    readonly limit: number;
  }) => Promise<SaleSummary[]>;
  readonly listItems: (page: ItemPage) => Promise<ItemView[]>;
  readonly onError: (context: RequestContext, error: unknown) => void;
}

/** What a sale looks like to a reader. */
export type SaleView = ReturnType<typeof viewOf>;

function viewOf(sale: SaleSummary) {
  return {
    id: sale.id,
    started_at: formatTime(sale.startsAtMs),
    ended_at: formatTime(sale.endsAtMs),
    total_items: sale.total,
    items_sold: sale.sold,
    active: isOpen(sale, Date.now()),
  };
}

/** GET /sales/active, /sales/{id}, /sales and /sales/{id}/items. */
export function sales(deps: SalesDeps) {
  const guarded =
    <Args extends unknown[]>(handler: (context: RequestContext, ...args: Args) => Promise<Answer>) =>
    async (context: RequestContext, ...args: Args): Promise<Answer> => {
      try {
        return await handler(context, ...args);
      } catch (error) {
        deps.onError(context, error);
        return problem(context, failureCode(error));
      }
    };

  const findSale = async (id: string): Promise<SaleSummary | undefined> =>
    SALE_ID.test(id) ? (await deps.listSales({ id, limit: 1 }))[0] : undefined;

  /** What is sold is newest in Redis; what is committed will do while Redis is away, and after the sale. */
  const withNewestCount = async (sale: SaleSummary): Promise<SaleSummary> => {
    const sold = await deps.countSold(sale.id).catch(() => undefined);
    return sold === undefined ? sale : { ...sale, sold };
  };

  return {
    active: guarded(async (context) => {
      const facts = deps.findActive();
      if (facts === undefined) return problem(context, 'sale_not_found');
      const sold = await deps.countSold(facts.id).catch(() => undefined);
      const sale = sold === undefined ? await findSale(facts.id) : { ...facts, sold };
      return sale ? json(200, viewOf(sale)) : problem(context, 'sale_not_found');
    }),

    one: guarded(async (context, id: string) => {
      const sale = await findSale(id);
      return sale ? json(200, viewOf(await withNewestCount(sale))) : problem(context, 'sale_not_found');
    }),

    all: guarded(async (context, query: Query) => {
      const errors: FieldErrors = {};
      const state = readParameter(query, 'status', SALES_QUERY.status, errors) as SaleState | undefined;
      if (Object.keys(errors).length > 0) return problem(context, 'validation_failed', { errors });
      const found = await deps.listSales({ ...(state && { state }), limit: SALES_MAX });
      return json(200, found.map(viewOf));
    }),

    items: guarded(async (context, saleId: string, query: Query, knownTag: string | undefined) => {
      const page = readPage(saleId, query);
      if ('errors' in page) return problem(context, 'validation_failed', { errors: page.errors });
      if ((await findSale(saleId)) === undefined) return problem(context, 'sale_not_found');
      return answerPage(context, page, await deps.listItems({ ...page, limit: page.limit + 1 }), knownTag);
    }),
  };
}

function readPage(saleId: string, query: Query): ItemPage | { errors: FieldErrors } {
  const errors: FieldErrors = {};
  const limit = readNumber(query, 'limit', ITEMS_QUERY.limit, errors);
  const after = readParameter(query, 'after', ITEMS_QUERY.after, errors);
  const availableOnly = readParameter(query, 'available', ITEMS_QUERY.available, errors) === 'true';
  if (Object.keys(errors).length > 0) return { errors };
  return { saleId, limit, availableOnly, ...(after && { after }) };
}

/** `rows` holds one row more than the page when there is a next one. */
function answerPage(
  context: RequestContext,
  page: ItemPage,
  rows: readonly ItemView[],
  knownTag: string | undefined,
): Answer {
  const shown = rows.slice(0, page.limit);
  const answer = json(200, shown);
  const tag = `"${createHash('sha1').update(answer.body).digest('base64url')}"`;
  const headers: Record<string, string> = { ETag: tag, 'Cache-Control': 'max-age=1' };
  const last = shown.at(-1);
  if (rows.length > shown.length && last) {
    const available = page.availableOnly ? '&available=true' : '';
    headers.Link = `<${context.path}?limit=${page.limit}&after=${encodeURIComponent(last.id)}${available}>; rel="next"`;
  }
  return matches(knownTag, tag) ? { status: 304, type: '', body: '', headers } : { ...answer, headers };
}

/** If-None-Match against our tag: a list, `*`, and weak tags compare as RFC 9110 says. */
export function matches(knownTags: string | undefined, tag: string): boolean {
  if (knownTags === undefined) return false;
  return knownTags
    .split(',')
    .some((known) => known.trim() === '*' || known.trim().replace(/^W\//, '') === tag);
}
