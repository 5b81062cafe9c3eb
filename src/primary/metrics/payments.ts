import type { MetricJson } from '../../messages.ts';
import { createSettled } from '../../metrics/payments.ts';
import { type Cell, gauge } from '../../metrics/series.ts';

/** What the leader knows of payments. */
export interface PaymentCounts {
  /** Purchases that nobody has paid in time. */
  readonly expired: Cell;
  /** For how long the oldest pending payment has been due, in seconds, as this box last saw it; undefined: it never looked. */
  dueS: number | undefined;
  read(isLeader: boolean): MetricJson[];
}

export function createPaymentCounts(): PaymentCounts {
  const settled = createSettled();
  return {
    expired: settled.cell({ how: 'expired' }),
    dueS: undefined,
    read(isLeader) {
      const dueS = isLeader ? this.dueS : undefined;
      return [
        settled.json(),
        gauge(
          'flashsale_payments_due_age_seconds',
          'For how long the oldest pending payment has been due; 0: none is. By the leader',
          dueS === undefined ? [] : [[dueS]],
        ),
      ];
    },
  };
}
