import { setTimeout as sleep } from 'node:timers/promises';
import { answers, type Documented, operation } from '../contract/operation.ts';
import { header } from '../contract/parameters.ts';
import { count, named, objectOf, textOf, withOptional } from '../contract/schema.ts';
import { flag, text, time } from '../contract/schemas.ts';
import { STORY } from '../contract/story.ts';
import type { Schema } from '../contract/types.ts';
import { type Answer, JSON_TYPE, json } from '../http/answer.ts';
import type { Asked } from '../http/asked.ts';
import { problem } from '../http/problem.ts';
import { logFields } from '../http/request-log.ts';
import { NAME, NAME_MAX } from '../intake/fields.ts';
import { USER_LIMIT_MAX } from '../intake/new-sale.ts';
import { holdQueue } from '../store/queue/hold.ts';
import { countSold } from '../store/sales.ts';
import { changeSale, holdSale, type Judge, readSale, type StoredSale } from '../store/switch.ts';
import { readJsonBody } from './body.ts';
import type { RouteDeps } from './deps.ts';
import { QUEUE_SCHEMA, QUEUE_SETTINGS, queueViewOf } from './queue-settings.ts';
import {
  type CHANGE_FIELDS,
  END_LEAD_MS,
  judgeCancelling,
  judgeChange,
  type Refusal,
  readChange,
} from './sale-change.ts';
import {
  PAYMENT_SECONDS_SCHEMA,
  SALE_EXTRAS,
  SALE_FIELDS,
  SALE_PATH,
  type SaleView,
  viewOf,
} from './sales.ts';

/** Longer than the workers of this box take to hear of a change; Redis decides by it already. */
const REFRESH_MS = 5_000;

type SwitchDeps = Pick<RouteDeps, 'config' | 'log' | 'postgres' | 'redis' | 'askPrimary'>;

type AdminSaleView = SaleView & {
  readonly paused: boolean;
  readonly hourly: boolean;
  readonly user_limit: number;
  readonly version: number;
  readonly name?: string;
  readonly currency?: string;
  readonly payment_seconds?: number;
  readonly queue?: ReturnType<typeof queueViewOf>;
};

/** GET, PATCH and DELETE /admin/sales/{id}: everything about a sale, and the hand on its switch. */
export function switchEndpoints(deps: SwitchDeps): Documented[] {
  const common = { path: '/admin/sales/:id' } as const;
  return [
    {
      ...common,
      method: 'GET',
      operation: READ_ADMIN_SALE,
      async answer(asked) {
        const sale = await readSale(deps.redis, deps.postgres, asked.params.id as string);
        return sale ? answerSale(deps, sale) : problem(asked, 'sale_not_found');
      },
    },
    {
      ...common,
      method: 'PATCH',
      operation: CHANGE_SALE,
      async answer(asked) {
        const body = await readJsonBody(asked);
        if ('refused' in body) return body.refused;
        const read = readChange(body.value);
        if ('errors' in read) return problem(asked, 'validation_failed', { errors: read.errors });
        const { change } = read;
        const answer = await answerChange(deps, asked, (sale) => judgeChange(sale, change));
        if (answer.status === 200 && change.endsAtMs === 'now') await sleep(END_LEAD_MS);
        return answer;
      },
    },
    {
      ...common,
      method: 'DELETE',
      operation: CANCEL_SALE,
      answer: (asked) => answerChange(deps, asked, judgeCancelling),
    },
  ];
}

const tagOf = ({ version }: StoredSale): string => `"${version}"`;

/** `If-Match` compares strongly: a weak tag matches nothing. */
const allows = (ifMatch: string | undefined, sale: StoredSale): boolean =>
  ifMatch === undefined || ifMatch.split(',').some((tag) => ['*', tagOf(sale)].includes(tag.trim()));

/** Changes a sale, and answers when the change holds: Postgres, then Redis, then the workers of this box. */
async function answerChange(deps: SwitchDeps, asked: Asked, judge: Judge<Refusal>): Promise<Answer> {
  const { config, log, redis, postgres, askPrimary } = deps;
  const changed = await changeSale<Refusal>(
    redis,
    postgres,
    asked.params.id as string,
    (sale) =>
      allows(asked.headers.ifMatch, sale) ? judge(sale) : { refused: { code: 'precondition_failed' } },
    config.events === 'on',
  );
  if (changed === undefined) return problem(asked, 'sale_not_found');
  if ('refused' in changed) return answerRefusal(asked, changed.refused);
  const { id, version, paused, startsAtMs, endsAtMs, userLimit } = changed;
  log.info(
    { ...logFields(asked), sale: id, version, paused, startsAtMs, endsAtMs, userLimit },
    'sale changed',
  );
  await holdSale(redis, postgres, changed);
  if (changed.queue) await holdQueue(redis, postgres, changed);
  await askPrimary('refresh-sales', REFRESH_MS);
  return answerSale(deps, changed);
}

function answerRefusal(asked: Asked, refusal: Refusal): Answer {
  if (refusal.code === 'validation_failed') return problem(asked, refusal.code, { errors: refusal.errors });
  if (refusal.code === 'precondition_failed') return problem(asked, refusal.code);
  return problem(asked, refusal.code, undefined, undefined, refusal.sentence);
}

/** Of a live sale the newest count is Redis'; what is committed will do while Redis is away, and after the sale. */
async function answerSale({ redis }: SwitchDeps, sale: StoredSale): Promise<Answer> {
  const sold = (await countSold(redis, sale.id).catch(() => undefined)) ?? sale.sold;
  const held = sale.held === undefined ? {} : { held: Math.min(sale.held, sold) };
  const { paused, hourly, userLimit, version, name, currency, paymentSeconds } = sale;
  const view: AdminSaleView = {
    ...viewOf({ ...sale, sold, ...held }),
    paused,
    hourly,
    user_limit: userLimit,
    version,
    ...(name !== undefined && { name }),
    ...(currency !== undefined && { currency }),
    ...(paymentSeconds !== undefined && { payment_seconds: paymentSeconds }),
    ...(sale.queue && { queue: queueViewOf(sale.queue) }),
  };
  return json(200, view, { ETag: tagOf(sale), 'Cache-Control': 'no-store' });
}

const ADMIN_SALE_SCHEMA = named(
  'AdminSale',
  withOptional(
    objectOf<Omit<AdminSaleView, 'name' | 'currency' | 'items_held' | 'payment_seconds' | 'queue'>>({
      ...SALE_FIELDS,
      paused: flag('Whether an operator has paused it.'),
      hourly: flag('Whether it was made on the hour, not through the admin API.'),
      user_limit: count('Items that one user may hold in this sale.', 1),
      version: count('Grows with every change; the ETag. What is sold does not change it.', 1),
    }),
    {
      ...SALE_EXTRAS,
      name: text('What the shop calls it.'),
      currency: text('The currency of its prices: a code of ISO 4217.'),
      payment_seconds: PAYMENT_SECONDS_SCHEMA,
      queue: QUEUE_SCHEMA,
    },
  ),
);
const ADMIN_SALE = {
  ...STORY.sale,
  paused: false,
  hourly: false,
  user_limit: STORY.newSale.user_limit,
  version: 1,
};
const ANSWER = (description: string, example: object) => ({
  200: answers(description, ADMIN_SALE_SCHEMA, example, ['ETag', 'Cache-Control']),
});

/** The fields of a change must be the ones that `readChange` knows. */
const CHANGES: Record<(typeof CHANGE_FIELDS)[number], Schema> = {
  paused: flag('`true`: nothing is sold until it is `false` again. Carts and codes stay good.'),
  started_at: time('Another start, in the future; only of a sale that has not begun.'),
  ended_at: {
    type: 'string',
    description:
      'Another end, in the future, at most 7 days after the start: RFC 3339, or `now`. An ended sale can be extended for about a minute, until its books are closed.',
  },
  name: textOf(NAME, 'What the shop calls it.', { maxLength: NAME_MAX }),
  user_limit: count('Items that one user may buy. While the sale runs it can only be raised.', 1, {
    maximum: USER_LIMIT_MAX,
  }),
  queue: named('QueueChange', {
    type: 'object',
    properties: QUEUE_SETTINGS,
    additionalProperties: false,
    description:
      'Fields that are left out stay. `opens_at` only before the queue is open, `draw` only of a sale that has no queue yet. No place moves, and the line never goes back.',
  }),
};

const IF_MATCH = header(
  'If-Match',
  'The ETag that you know: a sale that was changed since is answered 412, and stays as it is.',
  { type: 'string' },
);
const COMMON = { tag: 'Admin', isAdmin: true } as const;
const STORES = ['sale_not_found', 'unauthorized', 'overloaded', 'unavailable'] as const;

const READ_ADMIN_SALE = operation({
  ...COMMON,
  id: 'readAdminSale',
  summary: 'Everything about a sale',
  description:
    'A sale of any state, with the ETag that a change may name.\n\nRequires the admin token, as every path under `/admin`.',
  parameters: [SALE_PATH],
  answers: ANSWER('The sale.', ADMIN_SALE),
  problems: STORES,
});

const CHANGE_SALE = operation({
  ...COMMON,
  id: 'changeSale',
  summary: 'Pause, resume, extend or end a sale',
  description:
    'Changes what you name. It is answered when it holds: after `"paused":true` no cart is decided on any worker of any box. A purchase that was decided before is committed and answered. 503 means that the change is not in force everywhere yet, or was not made: read the sale, and send the same change again.',
  parameters: [SALE_PATH, IF_MATCH],
  body: {
    required: true,
    content: {
      [JSON_TYPE]: {
        schema: named('SaleChange', { type: 'object', properties: CHANGES, additionalProperties: false }),
        examples: {
          pause: { summary: 'Pause', value: { paused: true } },
          resume: { summary: 'Resume', value: { paused: false } },
          slower: { summary: 'Admit fewer from the queue', value: { queue: { admit_per_second: 5 } } },
          end: { summary: 'End now', value: { ended_at: 'now' } },
        },
      },
    },
  },
  answers: ANSWER('The sale as it is now.', { ...ADMIN_SALE, state: 'paused', paused: true, version: 2 }),
  problems: [
    'validation_failed',
    'malformed_request',
    'sale_state_conflict',
    'precondition_failed',
    'body_too_large',
    'unsupported_media_type',
    ...STORES,
  ],
});

const CANCEL_SALE = operation({
  ...COMMON,
  id: 'cancelSale',
  summary: 'Cancel a scheduled sale',
  description:
    'Cancels a sale that has not begun: it stays in the list, as `cancelled`, and ends where it would begin. The hour of an hourly sale that is cancelled gets no other.',
  parameters: [SALE_PATH, IF_MATCH],
  answers: ANSWER('The sale is cancelled.', {
    ...ADMIN_SALE,
    ended_at: STORY.sale.started_at,
    active: false,
    state: 'cancelled',
    version: 2,
  }),
  problems: ['sale_state_conflict', 'precondition_failed', ...STORES],
});
