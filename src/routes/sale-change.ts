import type { FieldErrors } from '../http/input.ts';
import { formatTime } from '../http/time.ts';
import { createFaults } from '../intake/faults.ts';
import { isObject, readName, readTime, refuseUnknown, wholeNumber } from '../intake/fields.ts';
import { DURATION_MAX_MS, USER_LIMIT_MAX } from '../intake/new-sale.ts';
import { faultOf, readQueue } from '../intake/queue.ts';
import { type QueueSettings, stateOf } from '../sale.ts';
import type { Facts, StoredSale } from '../store/switch.ts';

export const CHANGE_FIELDS = ['paused', 'started_at', 'ended_at', 'user_limit', 'name', 'queue'] as const;

/**
 * A sale that is ended now ends this much later, and its change is answered then: what was decided before Redis heard of it was
 * decided before its end.
 */
export const END_LEAD_MS = 300;

/** What the body of a PATCH asks for; what it leaves out stays. */
export interface Change {
  readonly paused?: boolean;
  readonly startsAtMs?: number;
  readonly endsAtMs?: number | 'now';
  readonly userLimit?: number;
  readonly name?: string;
  readonly queue?: Partial<QueueSettings>;
}

const readUserLimit = wholeNumber(1, USER_LIMIT_MAX);

export type Refusal =
  | { readonly code: 'validation_failed'; readonly errors: FieldErrors }
  | { readonly code: 'precondition_failed' }
  | { readonly code: 'sale_state_conflict'; readonly sentence: string };

/** Checks the form of the body of PATCH /admin/sales/{id}. All errors at once. */
export function readChange(body: unknown): { change: Change } | { errors: FieldErrors } {
  if (!isObject(body)) return { errors: { body: 'the body must be a JSON object' } };
  const faults = createFaults();
  refuseUnknown(body, CHANGE_FIELDS, 'a field that can be changed, which are', faults);
  if (Object.keys(body).length === 0)
    faults.add('body', `the body must have some of ${CHANGE_FIELDS.join(', ')}`);
  const { paused } = body;
  if (paused !== undefined && typeof paused !== 'boolean')
    faults.add('paused', 'paused must be true or false');
  const startsAtMs = readTime(body.started_at, 'started_at', faults);
  const endsAtMs = body.ended_at === 'now' ? 'now' : readTime(body.ended_at, 'ended_at', faults);
  const userLimit = readUserLimit(body.user_limit, 'user_limit', faults);
  const name = readName(body.name, 'name', faults);
  const queue = readQueue(body.queue, faults);
  if (faults.count > 0) return { errors: faults.errors() };
  return {
    change: {
      ...(paused !== undefined && { paused: paused as boolean }),
      ...(startsAtMs !== undefined && { startsAtMs }),
      ...(endsAtMs !== undefined && { endsAtMs }),
      ...(userLimit !== undefined && { userLimit }),
      ...(name !== undefined && { name }),
      ...(queue && { queue }),
    },
  };
}

type Judged = { readonly facts: Facts } | { readonly refused: Refusal };
const conflict = (sentence: string): Judged => ({ refused: { code: 'sale_state_conflict', sentence } });

/** What a change makes of a sale, or why its state or the times forbid it. */
export function judgeChange(sale: StoredSale, change: Change): Judged {
  const state = stateOf(sale, sale.nowMs);
  if (sale.retired) return conflict('The sale is over, and its books are closed.');
  if (state === 'cancelled') return conflict('The sale is cancelled.');
  if (state === 'ended' && (change.endsAtMs === undefined || change.endsAtMs === 'now'))
    return conflict('The sale has ended: only a later ended_at opens it again.');
  if (state !== 'scheduled' && change.startsAtMs !== undefined)
    return conflict('The sale has begun: its started_at stays.');
  if (state !== 'scheduled' && change.userLimit !== undefined && change.userLimit < sale.userLimit)
    return conflict(`The sale has begun: its user_limit can only be raised from ${sale.userLimit}.`);
  if (state === 'scheduled' && change.endsAtMs === 'now')
    return conflict('The sale has not begun: DELETE cancels it.');
  const { queue } = sale;
  if (queue && change.queue?.draws !== undefined && change.queue.draws !== queue.draws)
    return conflict('The queue exists: its draw stays as it was promised.');
  if (queue && change.queue?.opensAtMs !== undefined && sale.nowMs >= (queue.opensAtMs ?? 0))
    return conflict('The queue is open: its opens_at stays.');
  return judgeTimes(sale, change);
}

/** The queue that a change makes of what there was; the same one when it says nothing of it. */
function queueAfter(sale: StoredSale, { queue: change }: Change): Partial<QueueSettings> | undefined {
  return change === undefined ? sale.queue : { draws: true, ...sale.queue, ...change };
}

function judgeTimes(sale: StoredSale, change: Change): Judged {
  const { startsAtMs = sale.startsAtMs, userLimit = sale.userLimit, paused = sale.paused } = change;
  const name = change.name ?? sale.name;
  const endsAtMs =
    change.endsAtMs === 'now'
      ? Math.min(sale.nowMs + END_LEAD_MS, sale.endsAtMs)
      : (change.endsAtMs ?? sale.endsAtMs);
  const errors: FieldErrors = {};
  if (change.startsAtMs !== undefined && startsAtMs <= sale.nowMs)
    errors.started_at = 'started_at must be in the future';
  if (endsAtMs <= sale.nowMs) errors.ended_at = 'ended_at must be in the future, or "now"';
  else if (endsAtMs <= startsAtMs)
    errors.ended_at = `ended_at must be later than started_at, ${formatTime(startsAtMs)}`;
  else if (endsAtMs - startsAtMs > DURATION_MAX_MS)
    errors.ended_at = 'ended_at must be within 7 days of started_at';
  const queue = queueAfter(sale, change);
  const fault = queue && faultOf(queue, startsAtMs);
  if (fault) errors[fault[0]] = fault[1];
  if (Object.keys(errors).length > 0) return { refused: { code: 'validation_failed', errors } };
  const named = name !== undefined && { name };
  return {
    facts: {
      ...{ startsAtMs, endsAtMs, userLimit, paused },
      ...named,
      ...(queue && { queue: queue as QueueSettings }),
    },
  };
}

/** What cancelling makes of a sale that has not begun: it ends where it begins. */
export function judgeCancelling(sale: StoredSale): Judged {
  const state = stateOf(sale, sale.nowMs);
  if (state !== 'scheduled') return conflict(`The sale is ${state}: only a scheduled sale can be deleted.`);
  return { facts: { ...sale, endsAtMs: sale.startsAtMs } };
}
