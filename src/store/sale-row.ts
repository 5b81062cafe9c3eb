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
}

/** The facts of a sale in its row; a currency, a name and a payment window only where it has them. */
export const factsOf = ({ currency, name, payment_seconds: paymentSeconds, ...row }: SaleRow) => ({
  id: row.id,
  startsAtMs: row.starts_ms,
  endsAtMs: row.ends_ms,
  total: row.total,
  userLimit: row.user_limit,
  paused: row.paused,
  ...(currency !== null && { currency }),
  ...(name !== null && { name }),
  ...(paymentSeconds !== null && { paymentSeconds }),
});
