import type { Receipt } from './decision.ts';
import { receiptOf } from './decision.ts';
import { type Postgres, statement } from './postgres.ts';

const findDecision = statement('find_decision');

/** The committed receipt of a code, from Postgres; undefined when there is none. Throws as `Postgres.query` does. */
export async function findReceipt(postgres: Postgres, code: string): Promise<Receipt | undefined> {
  const [row] = await postgres.query<{ lines: string; names: string[] }>(findDecision, [code]);
  return row && receiptOf(row.lines.split(' '), row.names);
}
