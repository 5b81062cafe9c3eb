import { headerRefs } from '../contract/headers.ts';
import { answers, type Documented, operation } from '../contract/operation.ts';
import { path, query } from '../contract/parameters.ts';
import { named, objectOf, textOf } from '../contract/schema.ts';
import { flag, time } from '../contract/schemas.ts';
import { STORY } from '../contract/story.ts';
import type { Schema } from '../contract/types.ts';
import { saleOfTicket, TICKET, type Ticket } from '../door/queue/ticket.ts';
import { wantsEvents } from '../http/accept.ts';
import { type Answer, JSON_TYPE, SSE_TYPE } from '../http/answer.ts';
import type { Asked } from '../http/asked.ts';
import { type FieldErrors, type ParameterRule, readParameter, USER } from '../http/input.ts';
import { createPlaces, type Places } from '../http/places.ts';
import { problem } from '../http/problem.ts';
import { formatTime } from '../http/time.ts';
import { activeOf, isOver, type LiveSale, SALE_ID } from '../sale.ts';
import type { WorkerSale } from '../selling/live-sales.ts';
import type { Joined, SaleQueue, Turn } from '../selling/sale-queue.ts';
import { readStanding } from '../store/sales.ts';
import type { RouteDeps } from './deps.ts';
import { isAnothers, NO_STORE } from './purchase.ts';

type QueueDeps = Pick<RouteDeps, 'config' | 'liveSales' | 'postgres' | 'isDraining' | 'turns'>;

/** A sale with its queue. */
type Queued = WorkerSale & { readonly queue: SaleQueue };

/** A ticket as a checkout brings it; one of a wrong form is not admitted, as a forged one is not. */
export const TICKET_GIVEN: ParameterRule = {
  required: false,
  pattern: /^[\w.-]{1,256}$/,
  form: 'a ticket of the queue',
};
const SALE: ParameterRule = { required: false, pattern: SALE_ID, form: 'the id of a sale' };
/** Listeners per worker: each is a connection, some 20 KiB, and a message a second at most. */
const LISTENERS_MAX = 10_000;
/** Whoever is not admitted asks again this late at the latest, in seconds: the rate may be another by then. */
const RETRY_MAX_S = 60;
/** Where nobody can tell how long it takes. */
const RETRY_S = 5;

/** POST /queue gives a buyer his place in a sale's queue; GET /queue/{ticket} tells how far it is. */
export const queueEndpoints = (deps: QueueDeps): Documented[] => {
  const listeners = createPlaces(LISTENERS_MAX);
  return [
    {
      method: 'POST',
      path: '/queue',
      operation: JOIN,
      needsBuyer: true,
      namesBuyer: true,
      answer(asked) {
        const errors: FieldErrors = {};
        const rule = asked.buyer === undefined ? USER : { ...USER, required: false };
        const given = readParameter(asked.query, 'user_id', rule, errors);
        const saleId = readParameter(asked.query, 'sale_id', SALE, errors);
        const user = asked.buyer ?? given;
        if (user === undefined || Object.keys(errors).length > 0)
          return problem(asked, 'validation_failed', { errors });
        const sale = saleId === undefined ? nextQueue(deps) : deps.liveSales.find(saleId);
        if (sale === undefined) return refuseUnknown(deps, asked, saleId);
        asked.sale = sale.facts.id;
        return hasQueue(sale)
          ? join(asked, sale, user)
          : problem(asked, 'not_found', undefined, undefined, NONE);
      },
    },
    {
      method: 'GET',
      path: '/queue/:ticket',
      operation: READ_TURN,
      needsBuyer: true,
      async answer(asked) {
        const text = asked.params.ticket as string;
        const saleId = saleOfTicket(text);
        const sale = saleId === undefined ? undefined : deps.liveSales.find(saleId);
        const ticket = sale?.queue?.read(text);
        if (sale === undefined || ticket === undefined || !hasQueue(sale))
          return problem(asked, 'not_found', undefined, undefined, UNKNOWN);
        asked.sale = sale.facts.id;
        if (isAnothers(asked, ticket.user)) return problem(asked, 'buyer_mismatch');
        if (isOver(sale.facts, Date.now())) return problem(asked, 'sale_not_active');
        await sale.queue.firstLook();
        return wantsEvents(asked.headers.accept)
          ? follow(deps, listeners, asked, { sale, ticket, text })
          : answerTurn(asked, sale, text, sale.queue.watch(ticket)());
      },
    },
  ];
};

/** A ticket as it was read. */
interface Shown {
  readonly sale: Queued;
  readonly ticket: Ticket;
  readonly text: string;
}

/** A stream of turns. An EventSource that was told the end of it, and connects again, is sent away for good. */
function follow(
  { isDraining, turns }: QueueDeps,
  listeners: Places,
  asked: Asked,
  { sale, ticket, text }: Shown,
): Answer {
  const turn = sale.queue.watch(ticket);
  const { state } = turn();
  if (state === 'unknown') return problem(asked, 'unavailable');
  if (state === asked.headers.lastEventId) return { status: 204, type: '', body: '', headers: NO_STORE };
  const leave = listeners.take();
  if (leave === undefined) return problem(asked, 'overloaded');
  const textOf = (now: Turn) => turnText(text, sale, now);
  // Whoever connects again is told why.
  const isLeaving = () => isDraining() || isOver(sale.facts, Date.now());
  const parts = () => turns.follow({ turn, textOf, isLeaving });
  return { status: 200, type: SSE_TYPE, body: '', headers: NO_STORE, stream: { parts, onEnd: leave } };
}

const NONE = 'This sale has no queue: everybody may check out.';
const UNKNOWN = 'There is no such ticket, or its sale is over.';

const hasQueue = (sale: WorkerSale): sale is Queued => sale.queue !== undefined;

/** The sale that is meant without an id: the active one if it has a queue, else the next one that has. */
function nextQueue({ config, liveSales }: QueueDeps): WorkerSale | undefined {
  const nowMs = Date.now();
  const queued = liveSales.all().filter((sale) => hasQueue(sale) && sale.facts.endsAtMs > nowMs);
  const facts = queued.map((sale): LiveSale => sale.facts);
  const active = activeOf(facts, nowMs, config.hourlySales === 'on');
  const [first] = [...facts].sort((a, b) => a.startsAtMs - b.startsAtMs);
  return queued.find((sale) => sale.facts === (active ?? first));
}

async function refuseUnknown(
  { postgres }: QueueDeps,
  asked: Asked,
  saleId: string | undefined,
): Promise<Answer> {
  const standing = saleId === undefined ? undefined : await readStanding(postgres, saleId, Date.now());
  if (standing === undefined) return problem(asked, 'sale_not_found');
  return problem(asked, standing.retired ? 'sale_not_active' : 'unavailable');
}

function join(asked: Asked, sale: Queued, user: string): Answer | Promise<Answer> {
  const joined = sale.queue.join(user);
  return joined instanceof Promise
    ? joined.then((given) => answerJoined(asked, sale, given))
    : answerJoined(asked, sale, joined);
}

function answerJoined(asked: Asked, sale: Queued, joined: Joined): Answer {
  if ('ticket' in joined) return answerTurn(asked, sale, joined.ticket, joined.turn);
  if (joined.refused === 'ended') return problem(asked, 'sale_not_active');
  if (joined.refused === 'full') return problem(asked, 'overloaded');
  const opensAtMs = sale.facts.queue?.opensAtMs ?? 0;
  const sentence = `The queue of this sale opens at ${formatTime(opensAtMs)}.`;
  const waits = { 'Retry-After': retryAfter((opensAtMs - Date.now()) / 1_000) };
  return problem(asked, 'sale_state_conflict', undefined, waits, sentence);
}

/** What a buyer is told. */
interface TurnView {
  readonly ticket: string;
  readonly place: number | null;
  readonly admitted: boolean;
  readonly sale_starts_at: string;
  readonly state: Turn['state'];
  readonly before: number | null;
  readonly wait_seconds: number | null;
}

/** A `TurnView` as JSON; tickets and times need no escapes. */
const turnText = (ticket: string, { startsAt }: Queued, { state, place, before, waitSeconds }: Turn) =>
  `{"ticket":"${ticket}","place":${place},"admitted":${state === 'admitted'},"sale_starts_at":"${startsAt}",` +
  `"state":"${state}","before":${before},"wait_seconds":${waitSeconds}}`;

function answerTurn(asked: Asked, sale: Queued, ticket: string, turn: Turn): Answer {
  if (turn.state === 'unknown') return problem(asked, 'unavailable');
  return { status: 200, type: JSON_TYPE, body: turnText(ticket, sale, turn), headers: NO_STORE };
}

/** The refusal of a checkout whose turn it is not. */
export function notAdmitted(asked: Asked, turn: Turn | undefined): Answer {
  const seconds = turn?.waitSeconds ?? (turn?.state === 'over' ? 1 : RETRY_S);
  const sentence = turn === undefined ? NO_TICKET : turn.state === 'over' ? OVER : undefined;
  const waits = { 'Retry-After': retryAfter(seconds) };
  return problem(asked, 'not_admitted', { place: turn?.place ?? null }, waits, sentence);
}

const NO_TICKET = 'This sale has a queue: POST /queue gives you a ticket, and the checkout brings it.';
const OVER = 'Your turn in the queue is over: POST /queue gives you another place, behind the others.';

const retryAfter = (seconds: number): string =>
  String(Math.min(RETRY_MAX_S, Math.max(1, Math.ceil(seconds))));

/** A whole number, or null while nobody can tell. */
const perhaps = (description: string, minimum: number): Schema => ({
  oneOf: [{ type: 'integer', minimum }, { type: 'null' }],
  description,
});

const TURN_SCHEMA = named(
  'Turn',
  objectOf<TurnView>({
    ticket: textOf(TICKET, 'What a checkout brings. It names its user, and is of use to nobody else.'),
    place: perhaps('The place in the queue, the first being 1; null while the draw was not made.', 1),
    admitted: flag('Whether the buyer may check out now.'),
    sale_starts_at: time('When the sale opens, UTC.'),
    state: {
      type: 'string',
      enum: ['drawing', 'waiting', 'admitted', 'over'],
      description:
        '`drawing`: places are drawn when the sale starts. `over`: the place was admitted for longer than `pass_seconds`, and is gone: `POST /queue` gives another one, behind the others.',
    },
    before: perhaps('Places that come before this one; null while the draw was not made.', 0),
    wait_seconds: perhaps('Seconds until the turn, at the rate of now; null when nobody can tell.', 0),
  }),
);

const JOIN = operation({
  id: 'joinQueue',
  tag: 'Buying',
  needsBuyer: true,
  summary: 'Join the queue',
  description:
    'Gives the buyer a place in the queue of a sale that has one, and the ticket that proves it: the same one however often he asks. Whoever joins before the sale starts takes part in the draw; later ones stand behind, in the order in which they come. Before `opens_at` of the queue: `sale_state_conflict`.',
  parameters: [
    query(
      'user_id',
      USER,
      'The buyer. Where a token proves him, it may be left out, and must be equal when given.',
      {
        example: STORY.user,
      },
    ),
    query(
      'sale_id',
      SALE,
      'The sale. Default: the active one if it has a queue, else the next one that has.',
      { example: STORY.saleId },
    ),
  ],
  answers: { 200: answers('The buyer has a place.', TURN_SCHEMA, STORY.turn, ['Cache-Control']) },
  problems: [
    'validation_failed',
    'sale_not_active',
    'sale_not_found',
    'not_found',
    'sale_state_conflict',
    'overloaded',
    'unavailable',
  ],
});

const TURN = answers('The turn.', TURN_SCHEMA, STORY.turn, ['Cache-Control']);

const READ_TURN = operation({
  id: 'readTurn',
  tag: 'Buying',
  needsBuyer: true,
  summary: 'Whose turn it is',
  description:
    'Where the buyer of a ticket stands: ask no more often than each second or two. A worker knows the answer without asking anybody.\n\nWith `Accept: text/event-stream` the same comes as server-sent events when it changes, once a second at most, and less often while the wait is long. The stream ends when the turn has come, or is over, with an event whose id says so; connect again after any other end. When the sale is over, so is its queue: `sale_not_active`.',
  parameters: [path('ticket', textOf(TICKET), 'The ticket from `POST /queue`.', STORY.turn.ticket)],
  answers: {
    200: { ...TURN, content: { ...TURN.content, [SSE_TYPE]: { schema: { type: 'string' } } } },
    204: {
      description: 'Of a stream: you have been told that the turn has come, or is over.',
      headers: headerRefs(['Cache-Control']),
    },
  },
  problems: ['sale_not_active', 'not_found', 'overloaded', 'unavailable'],
});
