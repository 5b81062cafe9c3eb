import type { FieldErrors } from '../http/input.ts';
import { formatTime, parseTime } from '../http/time.ts';
import { stateOf } from '../sale.ts';
import type { Facts, StoredSale } from '../store/switch.ts';
import { DURATION_MAX_MS, USER_LIMIT_MAX } from './new-sale.ts';

export const CHANGE_FIELDS = ['paused', 'started_at', 'ended_at', 'user_limit'] as const;

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
}

export type Refusal =
  | { readonly code: 'validation_failed'; readonly errors: FieldErrors }
  | { readonly code: 'precondition_failed' }
  | { readonly code: 'sale_state_conflict'; readonly sentence: string };

/** Checks the form of the body of PATCH /admin/sales/{id}. All errors at once. */
export function readChange(body: unknown): { change: Change } | { errors: FieldErrors } {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return { errors: { body: 'the body must be a JSON object' } };
  const errors: FieldErrors = {};
  const fields = body as Record<string, unknown>;
  for (const name of Object.keys(fields)) {
    if (!(CHANGE_FIELDS as readonly string[]).includes(name))
      errors[name] = `${name} is not a field that can be changed: ${CHANGE_FIELDS.join(', ')} are`;
  }
  const { paused, started_at: start, ended_at: end, user_limit: userLimit } = fields;
  if (paused !== undefined && typeof paused !== 'boolean') errors.paused = 'paused must be true or false';
  const startsAtMs = parseTime(start);
  if (start !== undefined && startsAtMs === undefined)
    errors.started_at = 'started_at must be a time like 2026-11-22T08:00:00Z';
  const endsAtMs = end === 'now' ? end : parseTime(end);
  if (end !== undefined && endsAtMs === undefined)
    errors.ended_at = 'ended_at must be a time like 2026-11-22T08:00:00Z, or "now"';
  if (userLimit !== undefined && !isLimit(userLimit))
    errors.user_limit = `user_limit must be a whole number from 1 to ${USER_LIMIT_MAX}`;
  if (Object.keys(fields).length === 0)
    errors.body = `the body must name ${CHANGE_FIELDS.join(', ')}, or some of them`;
  if (Object.keys(errors).length > 0) return { errors };
  return {
    change: {
      ...(paused !== undefined && { paused: paused as boolean }),
      ...(startsAtMs !== undefined && { startsAtMs }),
      ...(endsAtMs !== undefined && { endsAtMs }),
      ...(userLimit !== undefined && { userLimit: userLimit as number }),
    },
  };
}

const isLimit = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= USER_LIMIT_MAX;

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
  return judgeTimes(sale, change);
}

function judgeTimes(sale: StoredSale, change: Change): Judged {
  const { startsAtMs = sale.startsAtMs, userLimit = sale.userLimit, paused = sale.paused } = change;
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
  if (Object.keys(errors).length > 0) return { refused: { code: 'validation_failed', errors } };
  return { facts: { startsAtMs, endsAtMs, userLimit, paused } };
}

/** What cancelling makes of a sale that has not begun: it ends where it begins. */
export function judgeCancelling(sale: StoredSale): Judged {
  const state = stateOf(sale, sale.nowMs);
  if (state !== 'scheduled') return conflict(`The sale is ${state}: only a scheduled sale can be deleted.`);
  const { startsAtMs, userLimit, paused } = sale;
  return { facts: { startsAtMs, endsAtMs: startsAtMs, userLimit, paused } };
}
