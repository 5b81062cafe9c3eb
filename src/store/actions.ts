import { type Postgres, statement } from './postgres.ts';

const sql = {
  note: statement('note_action'),
  list: statement('list_actions'),
  listOthers: statement('list_actions_but_payments'),
};

/** A year, and the month in which it is looked at. */
const KEPT_DAYS = 400;

/** Something that an operator did. */
export interface Action {
  /** `token`, `console`, or `anybody` where the admin API is open. */
  readonly who: string;
  readonly address: string;
  readonly method: string;
  readonly path: string;
  /** Query and body, as far as they are kept. */
  readonly what: string;
  readonly status: number;
}

export interface NotedAction extends Action {
  readonly id: string;
  readonly atMs: number;
}

/** Throws as `Postgres.query` does. */
export async function noteAction(postgres: Postgres, action: Action): Promise<void> {
  const { who, address, method, path, what, status } = action;
  await postgres.query(sql.note, [who, address, method, path, what, status, KEPT_DAYS]);
}

/** A page of actions, newest first; without what was said of payments, unless `payments`. Throws as `Postgres.query` does. */
export async function listActions(
  postgres: Postgres,
  { before, limit, payments }: { before: string | undefined; limit: number; payments: boolean },
): Promise<NotedAction[]> {
  const list = payments ? sql.list : sql.listOthers;
  const rows = await postgres.query<Action & { id: string; at: Date }>(list, [before ?? null, limit]);
  return rows.map(({ at, ...action }) => ({ ...action, atMs: at.getTime() }));
}
