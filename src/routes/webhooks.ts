import { answers, type Documented, operation } from '../contract/operation.ts';
import { query } from '../contract/parameters.ts';
import { count, listOf, named, objectOf, textOf } from '../contract/schema.ts';
import { text, time } from '../contract/schemas.ts';
import { STORY } from '../contract/story.ts';
import { json } from '../http/answer.ts';
import { type FieldErrors, readNumber, readParameter, refuseOthers } from '../http/input.ts';
import { linkToNext, pageOf } from '../http/paging.ts';
import { problem } from '../http/problem.ts';
import { formatTime } from '../http/time.ts';
import { EVENT_ID, FEED_START, placeNamed } from '../store/feed/read.ts';
import { type DeadMessage, deadMessages, retryWebhooks } from '../store/feed/webhooks.ts';
import type { RouteDeps } from './deps.ts';
import { EVENT_SCHEMA } from './events.ts';

const LIMIT = { fallback: 100, min: 1, max: 1_000 } as const;
const EVENT = { required: false, pattern: EVENT_ID, form: 'the id of an event' } as const;
const DEAD = '/admin/webhooks/dead';

/** GET /admin/webhooks/dead and POST /admin/webhooks/dead/retry: what the receiver did not take, and once more. */
export const webhookEndpoints = ({ postgres }: Pick<RouteDeps, 'postgres'>): Documented[] => [
  {
    method: 'GET',
    path: DEAD,
    operation: LIST_DEAD,
    async answer(asked) {
      const errors: FieldErrors = {};
      refuseOthers(asked.query, ['limit', 'after'], errors);
      const limit = readNumber(asked.query, 'limit', LIMIT, errors);
      const after = readParameter(asked.query, 'after', EVENT, errors);
      if (Object.keys(errors).length > 0) return problem(asked, 'validation_failed', { errors });
      const from = after === undefined ? FEED_START : placeNamed(after);
      const { shown, next } = pageOf(await deadMessages(postgres, from, limit + 1), limit);
      return json(200, shown.map(viewOf), {
        'Cache-Control': 'no-store',
        ...linkToNext(DEAD, limit, next, {}),
      });
    },
  },
  {
    method: 'POST',
    path: `${DEAD}/retry`,
    operation: RETRY_DEAD,
    async answer(asked) {
      const errors: FieldErrors = {};
      refuseOthers(asked.query, ['id'], errors);
      const id = readParameter(asked.query, 'id', EVENT, errors);
      if (Object.keys(errors).length > 0) return problem(asked, 'validation_failed', { errors });
      return json(200, { retried: await retryWebhooks(postgres, id) });
    },
  },
];

const viewOf = ({ id, body, tries, failure, firstMs }: DeadMessage) => ({
  id,
  tries,
  failure,
  first_failed_at: formatTime(firstMs),
  event: JSON.parse(body),
});

const DEAD_SCHEMA = named(
  'DeadWebhook',
  objectOf<ReturnType<typeof viewOf>>({
    id: textOf(EVENT_ID, 'The event, as in `webhook-id`.'),
    tries: count('How often it was sent in vain.', 1),
    failure: text('What happened the last time: a status, or why there was none.'),
    first_failed_at: time('When it was first sent in vain, UTC.'),
    event: EVENT_SCHEMA,
  }),
);

const PROBLEMS = ['validation_failed', 'unauthorized', 'overloaded', 'unavailable'] as const;

const LIST_DEAD = operation({
  id: 'listDeadWebhooks',
  tag: 'Admin',
  summary: 'Webhooks that could not be delivered',
  description:
    'The events that the receiver at `WEBHOOK_URL` answered with 410, or did not take for three days, in the order of the feed. The header `Link` leads to the next page.',
  isAdmin: true,
  parameters: [
    query('limit', LIMIT, 'Events per page.', { example: 10 }),
    query('after', EVENT, 'The last event of the page before.'),
  ],
  answers: {
    200: answers(
      'The events.',
      listOf(DEAD_SCHEMA),
      [
        {
          id: STORY.event.id,
          tries: 1,
          failure: 'status 410',
          first_failed_at: STORY.event.timestamp,
          event: STORY.event,
        },
      ],
      ['Cache-Control', 'Link'],
    ),
  },
  problems: PROBLEMS,
});

const RETRY_DEAD = operation({
  id: 'retryDeadWebhooks',
  tag: 'Admin',
  summary: 'Send them again',
  description:
    'Has one event, or without `id` every one that could not be delivered, sent again as if it were new. Events that wait for their next try are sent at once.',
  isAdmin: true,
  parameters: [query('id', EVENT, 'Only this event.', { example: STORY.event.id })],
  answers: {
    200: answers(
      'How many were dead.',
      named('Retried', objectOf<{ retried: number }>({ retried: count('Events that are sent again.') })),
      { retried: 1 },
    ),
  },
  problems: PROBLEMS,
});
