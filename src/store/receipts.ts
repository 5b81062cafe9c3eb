import { saleOfCode } from './checkouts.ts';
import type { Decision, Payment } from './decision.ts';
import { type Postgres, statement } from './postgres.ts';

const sql = statement('find_decisions');

/** A committed decision and the names of its lines. */
export interface CommittedDecision {
  readonly decision: Decision;
  readonly names: readonly (string | null)[];
  /** Where the sale has a payment window and something was bought. */
  readonly payment?: Payment;
}

interface Row extends Record<string, unknown> {
  readonly code: string;
  readonly user_id: string;
  readonly decided_ms: number;
  readonly lines: string;
  readonly names: readonly (string | null)[];
  readonly payment: readonly [state: Payment['state'] | 'expired', dueMs: number] | null;
}

/** The committed decisions among these codes, in no order. Throws as `Postgres.query` does. */
export async function findDecisions(
  postgres: Pick<Postgres, 'query'>,
  codes: readonly string[],
): Promise<CommittedDecision[]> {
  const rows = await postgres.query<Row>(sql, [codes]);
  return rows.map(({ code, user_id: userId, decided_ms: decidedMs, lines, names, payment }) => ({
    decision: { code, saleId: saleOfCode(code) as string, userId, decidedMs, lines: lines.split(' ') },
    names,
    ...(payment && { payment: { state: stateOf(payment[0]), dueMs: payment[1] } }),
  }));
}

const stateOf = (state: Payment['state'] | 'expired'): Payment['state'] =>
  state === 'expired' ? 'released' : state;

/** The committed decision of a code, from Postgres; undefined when there is none. Throws as `Postgres.query` does. */
export const findDecision = async (
  postgres: Pick<Postgres, 'query'>,
  code: string,
): Promise<CommittedDecision | undefined> => (await findDecisions(postgres, [code]))[0];
