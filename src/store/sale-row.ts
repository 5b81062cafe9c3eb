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
}

/** The facts of a sale in its row; a currency and a name only where it has them. */
export const factsOf = ({ currency, name, ...row }: SaleRow) => ({
  id: row.id,
  startsAtMs: row.starts_ms,
  endsAtMs: row.ends_ms,
  total: row.total,
  userLimit: row.user_limit,
  paused: row.paused,
  ...(currency !== null && { currency }),
  ...(name !== null && { name }),
});
