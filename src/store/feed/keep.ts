import { type Postgres, statement } from '../postgres.ts';

const sql = {
  tell: statement('tell_stages'),
  prune: statement('prune_events'),
  mend: statement('mend_feed'),
};

/** Events forgotten by one statement: some 50 ms. */
const PRUNED_MAX = 20_000;

/** Something that a sale has become. */
export interface Stage {
  readonly type: string;
  readonly saleId: string;
}

/**
 * Writes into the feed which sales have opened, ended or been sold out since, each once. `soldOut` are those of which Redis says
 * so; Postgres has the last word. Throws as `Postgres.query` does.
 */
export async function tellStages(postgres: Postgres, soldOut: readonly string[]): Promise<Stage[]> {
  const rows = await postgres.query<{ type: string; sale_id: string }>(sql.tell, [soldOut]);
  return rows.map(({ type, sale_id: saleId }) => ({ type, saleId }));
}

/** Forgets events older than `keepDays` by Postgres' clock. Returns how many rows. Throws as `Postgres.query` does. */
export async function pruneEvents(postgres: Postgres, keepDays: number): Promise<number> {
  let pruned = 0;
  for (;;) {
    const [row] = await postgres.query<{ rows: number }>(sql.prune, [keepDays, PRUNED_MAX]);
    pruned += row?.rows ?? 0;
    if ((row?.rows ?? 0) < PRUNED_MAX) return pruned;
  }
}

/**
 * Lifts the feed's turns above all that there are, where a dump was restored into another cluster: its transaction ids begin anew.
 * Before that, nothing old would be handed out. Returns whether it was needed. Throws as `Postgres.query` does.
 */
export async function mendFeed(postgres: Postgres): Promise<boolean> {
  return (await postgres.query(sql.mend)).length > 0;
}
