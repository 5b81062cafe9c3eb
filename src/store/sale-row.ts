import type { Queue } from '../sale.ts';

/** What every reading of a sale from Postgres has. */
export interface SaleRow extends Record<string, unknown> {
  readonly id: string;
  readonly starts_ms: number;
  readonly ends_ms: number;
  readonly total: number;
  readonly user_limit: number;
  readonly paused: boolean;
  readonly currency: string | null;
  readonly name: string | null;
  readonly payment_seconds: number | null;
  /** Absent where it was not asked for. */
  readonly queue?: QueueJson | null;
}

/** A queue as `queue_of` in the database tells it. */
interface QueueJson {
  readonly rate: number;
  readonly opens_ms: number | null;
  readonly draws: boolean;
  readonly pass_seconds: number | null;
  readonly seed: string;
  readonly key: string;
  readonly drawn: number | null;
}

const queueOf = ({ rate, opens_ms, draws, pass_seconds, seed, key, drawn }: QueueJson): Queue => ({
  ...{ admitPerSecond: rate, draws, seed, key },
  ...(opens_ms !== null && { opensAtMs: opens_ms }),
  ...(pass_seconds !== null && { passSeconds: pass_seconds }),
  ...(drawn !== null && { drawn }),
});

/** The facts of a sale in its row; a currency, a name, a payment window and a queue only where it has them. */
export const factsOf = ({ currency, name, payment_seconds: paymentSeconds, queue, ...row }: SaleRow) => ({
  id: row.id,
  startsAtMs: row.starts_ms,
  endsAtMs: row.ends_ms,
  total: row.total,
  userLimit: row.user_limit,
  paused: row.paused,
  ...(currency !== null && { currency }),
  ...(name !== null && { name }),
  ...(paymentSeconds !== null && { paymentSeconds }),
  ...(queue && { queue: queueOf(queue) }),
});
