import { randomBytes } from 'node:crypto';
import { type Postgres, statement } from './postgres.ts';

const sql = {
  traces: statement('buyer_traces'),
  purchases: statement('rename_purchases'),
  decisions: statement('rename_decisions'),
  attempts: statement('rename_attempts'),
};

/** What is kept of a buyer in one sale. */
export interface Trace {
  /** Null: attempts that named no sale. */
  readonly saleId: string | null;
  /** Only a retired sale is known to Postgres alone. */
  readonly retired: boolean;
  readonly purchases: number;
  readonly decisions: number;
  readonly attempts: number;
}

/** Everything that is kept of a buyer; reads whole tables, so the pool should allow minutes. Throws as `Postgres.query` does. */
export async function findBuyer(postgres: Postgres, userId: string): Promise<Trace[]> {
  const rows = await postgres.query<Omit<Trace, 'saleId'> & { sale_id: string | null }>(sql.traces, [userId]);
  return rows.map(({ sale_id, ...row }) => ({ saleId: sale_id, ...row }));
}

/**
 * Gives what is kept of a buyer to a pseudonym that nobody can lead back, and returns it: one in all sales, so that the books
 * still balance. Left alone are purchases and decisions of sales that are not retired: Redis knows the buyer there, and keeps
 * the limit by the name. Throws as `Postgres.query` does; what was done before stays, and the next call does the rest.
 */
export async function forgetBuyer(
  postgres: Postgres,
  userId: string,
  traces: readonly Trace[],
): Promise<string> {
  const pseudonym = `erased-${randomBytes(12).toString('hex')}`;
  for (const { saleId, retired, purchases, decisions } of traces) {
    if (saleId === null || !retired || purchases + decisions === 0) continue;
    await postgres.transaction('purchases', async (client) => {
      await client.query({ ...sql.purchases, values: [saleId, userId, pseudonym] });
      const codes = [`CHK-${saleId}-`, `CHK-${saleId}.`];
      await client.query({ ...sql.decisions, values: [...codes, userId, pseudonym] });
    });
  }
  await postgres.query(sql.attempts, [userId, pseudonym]);
  return pseudonym;
}
