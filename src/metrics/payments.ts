import { type CounterFamily, createCounter } from './series.ts';

/** How payments were settled: by requests to a worker, or by the leader. */
export const createSettled = (): CounterFamily =>
  createCounter('flashsale_payments_settled_total', 'Payments settled: confirmed, released, expired');
