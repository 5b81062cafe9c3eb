import { answers, type Documented, operation } from '../contract/operation.ts';
import { count, listOf, named, objectOf, withOptional } from '../contract/schema.ts';
import { ID_SCHEMA, text, time } from '../contract/schemas.ts';
import { STORY } from '../contract/story.ts';
import { json } from '../http/answer.ts';
import { createPlaces } from '../http/places.ts';
import { problem } from '../http/problem.ts';
import { formatTime } from '../http/time.ts';
import type { NewSale } from '../store/sales.ts';
import { FACT_PARAMETERS, NEW_SALE_BODY } from './admin.ts';
import type { RouteDeps } from './deps.ts';
import { readSaleRequest } from './new-sale.ts';

/** Bodies that a worker reads at a time: one of 4 MiB takes some 100 ms. */
const CHECKING_MAX = 2;
/** Items that the answer shows. */
const SHOWN = 20;

/** POST /admin/sales/check: what is wrong with a sale, and what it would be, before it is made. */
export const checkSaleEndpoint = ({ config }: Pick<RouteDeps, 'config'>): Documented => {
  const places = createPlaces(CHECKING_MAX);
  return {
    method: 'POST',
    path: '/admin/sales/check',
    operation: CHECK_SALE,
    changesNothing: true,
    async answer(asked) {
      const leave = places.take();
      if (leave === undefined) return problem(asked, 'overloaded');
      try {
        const read = await readSaleRequest(asked, config.userLimit);
        return 'refused' in read ? read.refused : json(200, viewOf(read.sale), NEVER_KEPT);
      } finally {
        leave();
      }
    },
  };
};

const NEVER_KEPT = { 'Cache-Control': 'no-store' };

const viewOf = ({ startsAtMs, endsAtMs, total, userLimit, items = [] }: NewSale) => ({
  started_at: formatTime(startsAtMs),
  ended_at: formatTime(endsAtMs),
  total_items: total,
  user_limit: userLimit,
  items: items.slice(0, SHOWN).map(({ id, name, stock = 1 }) => ({ ...(id && { id }), name, stock })),
});

const CHECKED_SCHEMA = named(
  'CheckedSale',
  objectOf<ReturnType<typeof viewOf>>({
    started_at: time('When it would open, UTC.'),
    ended_at: time('When it would close, UTC.'),
    total_items: count('Its units.', 1),
    user_limit: count('Units that one user may hold.', 1),
    items: listOf(
      withOptional(objectOf({ name: text('The name of the item.'), stock: count('Its units.', 1) }), {
        id: ID_SCHEMA,
      }),
      { maxItems: SHOWN, description: 'The first of your own items.' },
    ),
  }),
);

const CHECK_SALE = operation({
  id: 'checkSale',
  tag: 'Admin',
  summary: 'Check a sale before it is made',
  description:
    'Takes what `POST /admin/sales` takes, makes nothing, and answers what it would make, or everything that is wrong with it, each fault with its field or line.\n\nRequires the admin token.',
  isAdmin: true,
  parameters: FACT_PARAMETERS,
  body: NEW_SALE_BODY,
  answers: {
    200: answers('It can be made.', CHECKED_SCHEMA, STORY.checked, ['Cache-Control']),
  },
  problems: [
    'validation_failed',
    'malformed_request',
    'unauthorized',
    'body_too_large',
    'unsupported_media_type',
    'overloaded',
  ],
});
