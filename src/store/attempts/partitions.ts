import { type Postgres, statement } from '../postgres.ts';

const sql = {
  addDay: statement('add_attempts_day'),
  dropBefore: statement('drop_attempts_before'),
  pruneSegments: statement('prune_segments'),
  pruneStrays: statement('prune_strays'),
  countStray: statement('count_stray_attempts'),
};

const DAY_MS = 86_400_000;
/** Days that have their partitions beforehand. A week outlasts any dump, and any absence of a leader that goes unnoticed. */
const DAYS_AHEAD = 7;
/** Segments, and stray attempts, forgotten per call: some 50 ms. */
const PRUNED_MAX = 20_000;
/** More stray attempts than this are not counted: one is too many. */
export const STRAY_COUNTED_MAX = 10_000;

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/**
 * Makes the attempt log's partitions of today and the days ahead (UTC). Throws as `Postgres.query` does: Overloaded when a
 * lock is not to be had within a second, so that nobody waits behind us; ask again later.
 */
export async function addPartitions(
  postgres: Postgres,
  nowMs: number,
  daysAhead = DAYS_AHEAD,
): Promise<void> {
  for (let day = 0; day <= daysAhead; day++) await postgres.query(sql.addDay, [dayOf(nowMs + day * DAY_MS)]);
}

/**
 * Drops partitions that are wholly older than `keepDays` by Postgres' clock, and forgets segments and stray attempts as old.
 * Returns the partitions dropped.
 * Throws as `addPartitions` does.
 */
export async function dropOldAttempts(postgres: Postgres, keepDays: number): Promise<readonly string[]> {
  for (const prune of [sql.pruneSegments, sql.pruneStrays])
    await postgres.query(prune, [keepDays, PRUNED_MAX]);
  const dropped: string[] = [];
  for (;;) {
    const [row] = await postgres.query<{ dropped: string | null }>(sql.dropBefore, [keepDays]);
    if (row?.dropped == null) return dropped;
    dropped.push(row.dropped);
  }
}

/** Attempts in the default partition, STRAY_COUNTED_MAX at most. */
export async function countStrayAttempts(postgres: Postgres): Promise<number> {
  const [row] = await postgres.query<{ attempts: number }>(sql.countStray, [STRAY_COUNTED_MAX]);
  return row?.attempts ?? 0;
}
