import { answers, type Documented, operation } from '../contract/operation.ts';
import { query } from '../contract/parameters.ts';
import { listOf, named, objectOf } from '../contract/schema.ts';
import { text, time } from '../contract/schemas.ts';
import { json } from '../http/answer.ts';
import { type FieldErrors, oneOf, readNumber, readParameter, refuseOthers } from '../http/input.ts';
import { linkToNext, pageOf } from '../http/paging.ts';
import { problem } from '../http/problem.ts';
import { formatTime } from '../http/time.ts';
import { listActions, type NotedAction } from '../store/actions.ts';
import type { RouteDeps } from './deps.ts';

const LIMIT = { fallback: 100, min: 1, max: 1_000 } as const;
const PAYMENTS = oneOf('true', 'false');
const AFTER = { required: false, pattern: /^\d{1,18}$/, form: 'the id of an action' } as const;

/** GET /admin/actions: what operators did. */
export const actionsEndpoint = ({ postgres }: Pick<RouteDeps, 'postgres'>): Documented => ({
  method: 'GET',
  path: '/admin/actions',
  operation: LIST_ACTIONS,
  async answer(asked) {
    const errors: FieldErrors = {};
    refuseOthers(asked.query, ['limit', 'after', 'payments'], errors);
    const limit = readNumber(asked.query, 'limit', LIMIT, errors);
    const after = readParameter(asked.query, 'after', AFTER, errors);
    const given = readParameter(asked.query, 'payments', PAYMENTS, errors);
    if (Object.keys(errors).length > 0) return problem(asked, 'validation_failed', { errors });
    const payments = given !== 'false';
    const rows = await listActions(postgres, { before: after, limit: limit + 1, payments });
    const { shown, next } = pageOf(rows, limit);
    return json(200, shown.map(viewOf), {
      'Cache-Control': 'no-store',
      ...linkToNext('/admin/actions', limit, next, payments ? {} : { payments: 'false' }),
    });
  },
});

const viewOf = ({ id, atMs, who, address, method, path, what, status }: NotedAction) => ({
  ...{ id, at: formatTime(atMs), who, address, method, path, what, status },
});

const ACTION_SCHEMA = named(
  'Action',
  objectOf<ReturnType<typeof viewOf>>({
    id: text('Names the action; later ones have greater numbers.'),
    at: time('When it was done, UTC.'),
    who: {
      type: 'string',
      enum: ['token', 'console', 'anybody'],
      description:
        'Who brought the token, or a session of the console; `anybody` where the admin API is open.',
    },
    address: text('From where, as this service saw it.'),
    method: text('The method of the request.'),
    path: text('Its path.'),
    what: text('Its query and its body, 2,000 characters at most.'),
    status: { type: 'integer', minimum: 200, description: 'What it was answered.' },
  }),
);

const LIST_ACTIONS = operation({
  id: 'listActions',
  tag: 'Admin',
  summary: 'What operators did',
  description:
    'Requests of the admin API that changed something, newest first, for 400 days. The header `Link` leads to the next page.',
  isAdmin: true,
  parameters: [
    query('limit', LIMIT, 'Actions of a page.', { example: 10 }),
    query('after', AFTER, 'The last action of the page before.'),
    query('payments', PAYMENTS, '`false`: without payments that were confirmed or released.', {
      example: 'false',
    }),
  ],
  answers: {
    200: answers(
      'The actions.',
      listOf(ACTION_SCHEMA),
      [
        {
          ...{ id: '7', at: '2026-11-22T07:00:03.217Z', who: 'console', address: '127.0.0.1' },
          ...{ method: 'PATCH', path: '/admin/sales/S-3f9a1c22b7', what: '{"paused":true}', status: 200 },
        },
      ],
      ['Cache-Control', 'Link'],
    ),
  },
  problems: ['validation_failed', 'unauthorized', 'overloaded', 'unavailable'],
});
