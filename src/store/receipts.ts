import { saleOfCode } from './checkouts.ts';
import { type Decision, type Receipt, receiptOf } from './decision.ts';
import { type Postgres, statement } from './postgres.ts';

const sql = statement('find_decisions');

/** A committed decision and the names of its lines. */
export interface CommittedDecision {
  readonly decision: Decision;
  readonly names: readonly (string | null)[];
}

/** The committed decisions among these codes, in no order. Throws as `Postgres.query` does. */
export async function findDecisions(
  postgres: Postgres,
  codes: readonly string[],
): Promise<CommittedDecision[]> {
  const rows = await postgres.query<{
    code: string;
    user_id: string;
    decided_ms: number;
    lines: string;
    names: (string | null)[];
  }>(sql, [codes]);
  return rows.map(({ code, user_id: userId, decided_ms: decidedMs, lines, names }) => ({
    decision: { code, saleId: saleOfCode(code) as string, userId, decidedMs, lines: lines.split(' ') },
    names,
  }));
}

/** The committed receipt of a code and its buyer, from Postgres; undefined when there is none. Throws as `Postgres.query` does. */
export async function findReceipt(
  postgres: Postgres,
  code: string,
): Promise<{ userId: string; receipt: Receipt } | undefined> {
  const [found] = await findDecisions(postgres, [code]);
  if (found === undefined) return undefined;
  const { userId, lines } = found.decision;
  return { userId, receipt: receiptOf(lines, found.names) };
}
