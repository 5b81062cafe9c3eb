import { answers, type Documented, operation } from '../contract/operation.ts';
import { header, query } from '../contract/parameters.ts';
import { listOf, named, textOf } from '../contract/schema.ts';
import { SALE_ID_SCHEMA, time } from '../contract/schemas.ts';
import { STORY } from '../contract/story.ts';
import { type EventView, viewOfEvent } from '../feed/view.ts';
import { wantsEvents } from '../http/accept.ts';
import { type Answer, json, SSE_TYPE } from '../http/answer.ts';
import type { Asked } from '../http/asked.ts';
import { type FieldErrors, readNumber, readParameter, refuseOthers } from '../http/input.ts';
import { createPlaces } from '../http/places.ts';
import { problem } from '../http/problem.ts';
import {
  EVENT_ID,
  FEED_START,
  type FeedPage,
  type FeedPlace,
  placeOf,
  readEvents,
} from '../store/feed/read.ts';
import { PURCHASE_SCHEMA } from './admin-purchases.ts';
import type { RouteDeps } from './deps.ts';

/** Readers that wait or stream, per worker: each asks Postgres twice a second. */
const READERS_MAX = 16;
/** How soon a waiting reader sees what has happened. */
const LOOK_MS = 500;
/** Gateways close a connection on which nothing comes for a minute. */
const BEAT_MS = 15_000;
/** Events of one statement of a stream. */
const STREAM_EVENTS = 500;

const PARAMETERS = {
  after: { required: false, pattern: EVENT_ID, form: 'the id of an event' },
  limit: { fallback: 100, min: 1, max: 1_000 },
  wait: { fallback: 0, min: 0, max: 30 },
} as const;
const PRIVATE = { 'Cache-Control': 'no-store' };

type EventsDeps = Pick<RouteDeps, 'config' | 'postgres' | 'isDraining' | 'onError'>;

/** GET /admin/events: what happened, in one order: pages, long poll, or a stream of server-sent events. */
export const eventsEndpoint = (deps: EventsDeps): Documented => {
  const readers = createPlaces(READERS_MAX);
  return {
    method: 'GET',
    path: '/admin/events',
    operation: READ_EVENTS,
    async answer(asked) {
      if (deps.config.events === 'off')
        return problem(asked, 'not_found', undefined, undefined, 'The feed is off: set EVENTS=on.');
      const streams = wantsEvents(asked.headers.accept);
      const read = readQuery(asked, streams);
      if ('errors' in read) return problem(asked, 'validation_failed', { errors: read.errors });
      const { after, limit, waitMs } = read;
      const from = after === undefined ? FEED_START : await placeOf(deps.postgres, after);
      if (from === undefined) return problem(asked, 'events_gone');
      if (!streams && waitMs === 0) return pageAnswer(await readEvents(deps.postgres, from, limit));
      const leave = readers.take();
      if (leave === undefined) return problem(asked, 'overloaded');
      if (streams) {
        const parts = () => streamOf(deps, asked, from);
        return { status: 200, type: SSE_TYPE, body: '', headers: PRIVATE, stream: { parts, onEnd: leave } };
      }
      const beganMs = performance.now();
      try {
        const page = await firstPage(deps, from, limit, beganMs + waitMs, () => asked.hasLeft?.() === true);
        return { ...pageAnswer(page), waitedMs: performance.now() - beganMs };
      } finally {
        leave();
      }
    },
  };
};

function readQuery(
  { query: asked, headers }: Asked,
  streams: boolean,
): { after: string | undefined; limit: number; waitMs: number } | { errors: FieldErrors } {
  const errors: FieldErrors = {};
  // A stream has no pages and no end.
  refuseOthers(asked, streams ? ['after'] : Object.keys(PARAMETERS), errors);
  const limit = readNumber(asked, 'limit', PARAMETERS.limit, errors);
  const waitMs = readNumber(asked, 'wait', PARAMETERS.wait, errors) * 1_000;
  const named = readParameter(asked, 'after', PARAMETERS.after, errors);
  // What a browser sends when it connects again is newer than its URL.
  const last = streams ? headers.lastEventId : undefined;
  if (last !== undefined && !EVENT_ID.test(last))
    errors['Last-Event-ID'] = 'Last-Event-ID must be the id of an event';
  if (Object.keys(errors).length > 0) return { errors };
  return { after: last ?? named, limit, waitMs };
}

const pageAnswer = ({ events }: FeedPage): Answer => json(200, events.map(viewOfEvent), PRIVATE);

/** The first page that is not empty, or the last one before the time is up, the client has left, or the worker leaves. */
async function firstPage(
  { postgres, isDraining }: EventsDeps,
  from: FeedPlace,
  limit: number,
  untilMs: number,
  hasLeft: () => boolean,
): Promise<FeedPage> {
  for (;;) {
    const page = await readEvents(postgres, from, limit);
    const leftMs = untilMs - performance.now();
    if (page.events.length > 0 || leftMs <= 0 || hasLeft() || isDraining()) return page;
    await pause(Math.min(LOOK_MS, leftMs));
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function* streamOf(
  { postgres, isDraining, onError }: EventsDeps,
  asked: Asked,
  from: FeedPlace,
): AsyncGenerator<string> {
  let place = from;
  let saidMs = performance.now();
  // How soon to connect again after a drain or a restart.
  yield 'retry: 1000\n\n';
  try {
    while (!isDraining()) {
      const { events, isFull } = await readEvents(postgres, place, STREAM_EVENTS);
      const last = events.at(-1);
      if (last !== undefined) {
        place = last.place;
        yield events.map((event) => frameOf(viewOfEvent(event))).join('');
        saidMs = performance.now();
      } else if (performance.now() - saidMs > BEAT_MS) {
        yield ':\n\n';
        saidMs = performance.now();
      }
      if (!isFull) await pause(LOOK_MS);
    }
  } catch (error) {
    onError(asked, error);
    throw error;
  }
}

const frameOf = (event: EventView): string =>
  `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

export const EVENT_SCHEMA = named('Event', {
  type: 'object',
  properties: {
    id: textOf(EVENT_ID, 'Names the event, and the place behind it in the feed.'),
    type: {
      type: 'string',
      enum: [
        'sale.opened',
        'sale.paused',
        'sale.resumed',
        'sale.sold_out',
        'sale.ended',
        'purchase.completed',
      ],
      description: 'What happened. Others may come: ignore what you do not know.',
    },
    timestamp: time('When it happened, UTC.'),
    data: {
      description: 'Of a purchase: the purchase. Of a sale: its id.',
      oneOf: [
        { type: 'object', properties: { sale_id: SALE_ID_SCHEMA }, required: ['sale_id'] },
        PURCHASE_SCHEMA,
      ],
    },
  },
  required: ['id', 'type', 'timestamp', 'data'],
});

const EVENTS = answers('The events.', listOf(EVENT_SCHEMA), [STORY.event], ['Cache-Control']);

const READ_EVENTS = operation({
  id: 'readEvents',
  tag: 'Admin',
  summary: 'What happened, in one order',
  description:
    'The events behind `after`, in one order, each once; without `after` from the oldest that is kept. Only with `EVENTS=on`; else 404. Whoever goes on with the `id` of the last event that he has seen misses none. `wait` holds an answer that would be empty back until something happens, for so many seconds at most. With `Accept: text/event-stream` they come as server-sent events, as they happen; `Last-Event-ID` goes on where a broken stream ended.',
  isAdmin: true,
  parameters: [
    query('after', PARAMETERS.after, 'The `id` of the last event that you have.'),
    query('limit', PARAMETERS.limit, 'Events of a page, at most.', { example: 10 }),
    query('wait', PARAMETERS.wait, 'Seconds to wait for the first event.', { example: 1 }),
    header('Last-Event-ID', 'Of a stream: as `after`, and before it.', textOf(EVENT_ID)),
  ],
  answers: {
    200: { ...EVENTS, content: { ...EVENTS.content, [SSE_TYPE]: { schema: { type: 'string' } } } },
  },
  problems: ['validation_failed', 'unauthorized', 'events_gone', 'overloaded', 'unavailable'],
});
