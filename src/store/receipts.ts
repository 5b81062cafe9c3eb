import { saleOfCode } from './checkouts.ts';
import type { Decision, Payment } from './decision.ts';
import { type Postgres, statement } from './postgres.ts';
import type { Return } from './returns.ts';

const sql = statement('find_decisions');

/** A committed decision and the names of its lines. */
export interface CommittedDecision {
  readonly decision: Decision;
  readonly names: readonly (string | null)[];
  /** In minor units of the sale's currency, by line. */
  readonly prices?: readonly (number | null)[];
  /** Where the sale has a payment window and something was bought. */
  readonly payment?: Payment;
  /** What of it came back, in that order; absent: nothing. */
  readonly returns?: readonly Omit<Return, 'number' | 'code'>[];
}

interface ReturnRow extends Pick<Return, 'kind' | 'lines' | 'restocked'> {
  readonly reason: string | null;
  readonly returned_ms: number;
}

interface Row extends Record<string, unknown> {
  readonly code: string;
  readonly user_id: string;
  readonly decided_ms: number;
  readonly lines: string;
  readonly items: readonly (readonly [name: string, price: number | null] | null)[];
  readonly payment: readonly [state: Payment['state'] | 'expired', dueMs: number] | null;
  readonly returns: readonly ReturnRow[] | null;
}

/** The committed decisions among these codes, in no order. Throws as `Postgres.query` does. */
export async function findDecisions(
  postgres: Pick<Postgres, 'query'>,
  codes: readonly string[],
): Promise<CommittedDecision[]> {
  const rows = await postgres.query<Row>(sql, [codes]);
  return rows.map(({ code, user_id: userId, decided_ms: decidedMs, lines, items, payment, returns }) => ({
    decision: { code, saleId: saleOfCode(code) as string, userId, decidedMs, lines: lines.split(' ') },
    names: items.map((item) => item?.[0] ?? null),
    prices: items.map((item) => item?.[1] ?? null),
    ...(payment && { payment: { state: stateOf(payment[0]), dueMs: payment[1] } }),
    ...(returns && { returns: returns.map(returnOf) }),
  }));
}

const returnOf = ({ reason, returned_ms: returnedMs, ...row }: ReturnRow) => ({
  ...row,
  returnedMs,
  ...(reason !== null && { reason }),
});

const stateOf = (state: Payment['state'] | 'expired'): Payment['state'] =>
  state === 'expired' ? 'released' : state;

/** The committed decision of a code, from Postgres; undefined when there is none. Throws as `Postgres.query` does. */
export const findDecision = async (
  postgres: Pick<Postgres, 'query'>,
  code: string,
): Promise<CommittedDecision | undefined> => (await findDecisions(postgres, [code]))[0];
